//! Taking a table in: the form goes to a spool file, the file is looked through on a thread of its
//! own, and only when it has no fault its rows are stored, all or nothing.

use std::{fs::File, io, path::PathBuf};

use actix_web::{HttpResponse, http::header, post, web};
use db::datasets::{Batch, CreateError, Dataset, NewDataset};
use domain::{
    datasets::{
        DatasetId, DatasetName, DatasetSource, Limits,
        import::{self, Survey},
    },
    users::Visibility,
};
use futures::{SinkExt as _, TryStreamExt as _, channel::mpsc};
use utoipa::ToSchema;

use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code, FieldFault},
    etag,
    form::{self, Form, Spooled},
};

/// The form of an upload.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the form; its parts are read one by one"
)]
struct DatasetForm {
    /// The file: CSV with commas, semicolons or tabs, a JSON list of objects, or JSON Lines.
    #[schema(format = Binary)]
    file: String,
    /// What the dataset is called; the file's name without its ending unless said otherwise.
    name: Option<String>,
    /// Who besides you may see it; `private` unless said otherwise.
    visibility: Option<Visibility>,
}

/// What was sent.
struct Sent {
    spooled: Spooled,
    name: DatasetName,
    visibility: Visibility,
}

impl From<CreateError> for ApiError {
    fn from(cause: CreateError) -> Self {
        match cause {
            CreateError::Rows(cause) => Self::internal(&cause),
            CreateError::Database(cause) => cause.into(),
        }
    }
}

/// Makes a dataset of a file. The first line of a CSV names the columns; those of JSON are all
/// members of its objects. Nothing is stored of a file with a fault, and every fault is told with
/// its line. The same file once more under the same name gives the dataset that is there already,
/// if that was never changed.
#[utoipa::path(tag = "Datasets",
    request_body(content = DatasetForm, content_type = "multipart/form-data"),
    responses((status = 201, body = Dataset), (status = 200, body = Dataset)))]
#[post("/datasets")]
pub async fn upload(context: Context<Developer>, form: Form) -> ApiResult<HttpResponse> {
    let sent = read_form(form, context.app().config.datasets.dataset_file_bytes).await?;
    let known = {
        let mut connection = context.db().await?;
        let (owner, sha256) = (context.who.user_id, sent.spooled.sha256);
        db::datasets::find_same(&mut connection, owner, &sent.name, sha256).await?
    };
    if let Some(dataset) = known {
        return Ok(answer(&dataset, false));
    }
    // Apart from the request: a caller who hangs up does not leave it half way.
    let stored = actix_web::rt::spawn(store(context, sent));
    stored.await.map_err(|cause| ApiError::internal(&cause))?
}

async fn store(context: Context<Developer>, sent: Sent) -> ApiResult<HttpResponse> {
    let limits = context.app().config.datasets.limits();
    let (path, name) = (
        sent.spooled.file.path().to_owned(),
        sent.spooled.name.clone(),
    );
    let surveyed = web::block(move || import::survey(File::open(path)?, name.as_str(), &limits));
    let survey = surveyed
        .await
        .map_err(|cause| ApiError::internal(&cause))?
        .map_err(|cause| ApiError::internal(&cause))?
        .map_err(refused)?;
    let new = NewDataset {
        id: DatasetId::new(),
        company_id: context.who.company_id,
        owner_id: context.who.user_id,
        visibility: sent.visibility,
        name: sent.name,
        source: DatasetSource::Upload,
        file_name: Some(sent.spooled.name),
        headers: survey.headers.clone(),
        row_count: i32::try_from(survey.rows).unwrap_or(i32::MAX),
        sha256: sent.spooled.sha256,
    };
    let mut connection = context.db().await?;
    let (to, batches) = mpsc::channel(1);
    let path = sent.spooled.file.path().to_owned();
    // Ends by itself when nobody listens any more.
    let reading = tokio::task::spawn_blocking(move || send_rows(path, &survey, &limits, to));
    let created = db::datasets::create(&mut connection, &new, batches).await;
    drop(reading);
    let (dataset, is_new) = created?;
    Ok(answer(&dataset, is_new))
}

/// Reads the rows of a file and passes them on, or why that failed.
fn send_rows(
    path: PathBuf,
    survey: &Survey,
    limits: &Limits,
    mut to: mpsc::Sender<io::Result<Batch>>,
) {
    let mut send = |batch| futures::executor::block_on(to.send(batch)).map_err(io::Error::other);
    let read = || {
        let mut batch = Batch::default();
        for (index, cells) in (0..).zip(import::rows(File::open(path)?, survey, limits)?) {
            batch.push(index, &cells?);
            if batch.is_full() {
                send(Ok(std::mem::take(&mut batch)))?;
            }
        }
        if !batch.is_empty() {
            send(Ok(batch))?;
        }
        Ok::<_, io::Error>(())
    };
    if let Err(cause) = read() {
        // Nobody may be listening any more; then nobody needs to know.
        drop(send(Err(cause)));
    }
}

/// The answer to a file with faults: the first of them, and how many there are.
fn refused(faults: import::Faults) -> ApiError {
    let (told, more) = (faults.told.len(), faults.more);
    let place = |line: Option<u64>| match line {
        Some(line) => format!("file:{line}"),
        None => "file".to_owned(),
    };
    let list = faults.told.into_iter().map(|fault| FieldFault {
        field: place(fault.line),
        message: fault.message,
    });
    let mut refusal = ApiError::faults(Code::Invalid, list.collect());
    if more > 0 {
        refusal.detail = format!(
            "{} faults have to be corrected; `errors` has the first {told}, {more} more follow.",
            told + more
        );
    }
    refusal
}

fn answer(dataset: &Dataset, is_new: bool) -> HttpResponse {
    let mut answer = if is_new {
        HttpResponse::Created()
    } else {
        HttpResponse::Ok()
    };
    answer
        .insert_header((header::LOCATION, format!("/api/datasets/{}", dataset.id)))
        .insert_header(header::ETag(etag::of(dataset.updated_at)))
        .json(dataset)
}

async fn read_form(mut form: Form, limit: usize) -> ApiResult<Sent> {
    let (mut spooled, mut name, mut visibility) = (None, None, Visibility::Private);
    let mut faults = Vec::new();
    let fault = |field: &str, message: String| FieldFault {
        field: field.to_owned(),
        message,
    };
    let unreadable = |cause: actix_multipart::MultipartError| form::unreadable(&cause);
    while let Some(field) = form.0.try_next().await.map_err(unreadable)? {
        match field.name().unwrap_or_default() {
            "file" if spooled.is_none() => spooled = Some(form::spool(field, limit).await?),
            "file" => return Err(ApiError::invalid("file", "must be given once")),
            "name" => match form::text(field).await?.parse::<DatasetName>() {
                Ok(given) => name = Some(given),
                Err(cause) => faults.push(fault("name", cause.0)),
            },
            "visibility" => match form::text(field).await?.parse() {
                Ok(given) => visibility = given,
                Err(cause) => faults.push(fault("visibility", cause.0)),
            },
            // View state that a form sends along is none of our business.
            _ => drop(form::text(field).await?),
        }
    }
    if spooled.is_none() {
        let message = "is required: send the table as the form's part `file`";
        faults.push(fault("file", message.into()));
    }
    match spooled {
        Some(spooled) if faults.is_empty() => Ok(Sent {
            name: name.map_or_else(|| name_of(&spooled), Ok)?,
            spooled,
            visibility,
        }),
        _ => Err(ApiError::faults(Code::Invalid, faults)),
    }
}

/// What a dataset is called if nobody says so: as its file, without the ending.
fn name_of(spooled: &Spooled) -> ApiResult<DatasetName> {
    let file = spooled.name.as_str();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let name = if stem.trim().is_empty() { file } else { stem };
    let name: String = name.trim().chars().take(200).collect();
    name.parse()
        .map_err(|cause: domain::Fault| ApiError::invalid("name", cause.0))
}
