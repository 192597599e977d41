//! Generating prompts: a template filled in for an issue or a request, kept as a prompt with its first version and
//! with where it comes from.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, http::header, post, web};
use db::{
    Connection, generation::Origin, issues::IssueDetail, prompts::PromptChanges, requests::Request,
    templates::Template,
};
use deserr::Deserr;
use domain::{
    auth::Viewer,
    generation::{self, Source},
    prompts::{PromptId, PromptText, PromptTitle, PromptVersionId},
    requests::RequestId,
    templates::{BodyMd, Data, Failure, TemplateId, lint, render, tokens},
    trackers::{IssueId, TrackerId},
    users::Visibility,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::{
    App,
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Body, Faults},
    templates::refused,
};

/// What a prompt is generated from.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase, validate = one_source -> Faults)]
#[schema(rename_all = "camelCase")]
struct GenerateBody {
    /// The issue it is for, unless it is for a request.
    #[deserr(default)]
    issue_id: Option<IssueId>,
    /// The request it is for, unless it is for an issue.
    #[deserr(default)]
    request_id: Option<RequestId>,
    /// The template, as it is now.
    template_id: TemplateId,
    /// The template's variables.
    #[schema(value_type = Option<Object>)]
    #[deserr(default)]
    vars: Option<BTreeMap<String, Value>>,
    /// A text that takes the place of the template's this once, 1 to 200 000 characters: Markdown with
    /// Handlebars, of the template's variables.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200_000)]
    #[deserr(default)]
    body_override: Option<BodyMd>,
    /// What the prompt is called, 1 to 255 characters; key and title of the issue, or number
    /// and title of the request, if absent.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 255)]
    #[deserr(default)]
    title: Option<PromptTitle>,
    /// Who besides you may see it; nobody, unless said otherwise.
    #[deserr(default)]
    visibility: Option<Visibility>,
}

/// A prompt is for one thing.
fn one_source(body: GenerateBody, _: deserr::ValuePointerRef<'_>) -> Result<GenerateBody, Faults> {
    let message = match (body.issue_id, body.request_id) {
        (Some(_), None) | (None, Some(_)) => return Ok(body),
        (None, None) => "is required, unless there is a requestId",
        (Some(_), Some(_)) => "must be left out with a requestId",
    };
    Err(Faults::broken_rules(vec![FieldFault {
        field: "issueId".into(),
        message: message.into(),
    }]))
}

/// A prompt that was generated.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct GeneratedView {
    /// The prompt.
    prompt_id: PromptId,
    /// Its first version, which says for ever what was generated.
    prompt_version_id: PromptVersionId,
    /// What it says.
    #[schema(value_type = String)]
    prompt_text: PromptText,
    /// How many tokens that has, as GPT-3.5 counts.
    tokens: usize,
}

/// What a prompt is for, as templates know it.
struct Subject {
    source: Source,
    tracker_id: Option<TrackerId>,
    title: Option<PromptTitle>,
    context: Map<String, Value>,
}

/// Generates a prompt: fills the template in with the issue or the request, you, your company and `vars`,
/// and keeps the text as a prompt of yours with an immutable version.
///
/// The template finds `issue` as `GET /api/issues/{id}` shows it with `tracker {id, name, type}`, or
/// `request` as lists show it without comments, and
/// `user {id, name, email, role}` and `company {id, name}`.
#[utoipa::path(tag = "Prompts", request_body = GenerateBody, responses((status = 201, body = GeneratedView)))]
#[post("/prompts/generate")]
pub async fn generate(
    context: Context<Developer>,
    Body(body): Body<GenerateBody>,
) -> ApiResult<HttpResponse> {
    let (template, subject) = read(&context, &body).await?;
    let work = Work {
        app: context.shared(),
        template,
        body_override: body.body_override,
        vars: body.vars.unwrap_or_default().into_iter().collect(),
        context: subject.context,
    };
    let done = web::block(move || work.perform()).await;
    let (template, text, tokens) = done.map_err(|cause| ApiError::internal(&cause))??;
    let changes = PromptChanges {
        title: body.title.or(subject.title),
        prompt_text: Some(text.clone()),
        visibility: body.visibility,
        ..PromptChanges::default()
    };
    let new = changes.into_new(&context.who, PromptId::new())?;
    let origin = Origin {
        source: subject.source,
        tracker_id: subject.tracker_id,
        template: &template.template,
        is_overridden: template.is_overridden,
        tokens: i32::try_from(tokens).unwrap_or(i32::MAX),
    };
    let mut conn = context.db().await?;
    let prompt_version_id = db::generation::keep(&mut conn, &new, &origin).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/prompts/{}", new.id)))
        .json(GeneratedView {
            prompt_id: new.id,
            prompt_version_id,
            prompt_text: text,
            tokens,
        }))
}

/// What has to be looked up; all that is not there is told at once.
async fn read(context: &Context<Developer>, body: &GenerateBody) -> ApiResult<(Template, Subject)> {
    let (who, mut conn) = (&context.who, context.db().await?);
    let template = db::templates::find(&mut conn, who, body.template_id).await;
    let mut faults = Vec::new();
    let template = found(template, "templateId", &mut faults)?;
    let subject = subject(&mut conn, who, body, &mut faults).await?;
    let (Some(template), Some(mut subject)) = (template, subject) else {
        return Err(ApiError::faults(Code::Invalid, faults));
    };
    let asker = db::generation::asker(&mut conn, who).await?;
    let user =
        json!({"id": who.user_id, "name": asker.name, "email": asker.email, "role": who.role});
    let company = json!({"id": who.company_id, "name": asker.company});
    subject.context.insert("user".to_owned(), user);
    subject.context.insert("company".to_owned(), company);
    Ok((template, subject))
}

async fn subject(
    conn: &mut Connection,
    who: &Viewer,
    body: &GenerateBody,
    faults: &mut Vec<FieldFault>,
) -> ApiResult<Option<Subject>> {
    if let Some(id) = body.issue_id {
        let detail = found(db::issues::find(conn, who, id).await, "issueId", faults)?;
        return Ok(detail.map(Subject::of_issue));
    }
    let Some(id) = body.request_id else {
        return Ok(None);
    };
    let request = found(db::requests::find(conn, who, id).await, "requestId", faults)?;
    Ok(request.as_ref().map(Subject::of_request))
}

impl Subject {
    fn of_issue(detail: IssueDetail) -> Self {
        let issue = &detail.issue;
        let mut shown = json!(issue);
        // It may be large: moved, not copied.
        shown["payload"] = detail.payload;
        let tracker =
            json!({"id": issue.tracker_id, "name": issue.tracker_name, "type": issue.tracker_kind});
        Self {
            source: Source::Issue(issue.id),
            tracker_id: Some(issue.tracker_id),
            title: generation::title(&issue.ext_key, &issue.title),
            context: Map::from_iter([("issue".to_owned(), shown), ("tracker".to_owned(), tracker)]),
        }
    }

    fn of_request(request: &Request) -> Self {
        let mut shown = json!(request);
        // They are there for templates too while nobody is assigned.
        for member in ["assignedTo", "assignedToName", "estimatedHours"] {
            if shown.get(member).is_none() {
                shown[member] = Value::Null;
            }
        }
        Self {
            source: Source::Request(request.id),
            tracker_id: None,
            title: generation::title(&format!("#{}", request.number), request.title.as_str()),
            context: Map::from_iter([("request".to_owned(), shown)]),
        }
    }
}

/// What was looked up; what is not there is a fault of the member that names it.
fn found<T>(
    looked: diesel::QueryResult<T>,
    field: &str,
    faults: &mut Vec<FieldFault>,
) -> ApiResult<Option<T>> {
    match looked {
        Ok(row) => Ok(Some(row)),
        Err(diesel::result::Error::NotFound) => {
            faults.push(FieldFault {
                field: field.to_owned(),
                message: "is not there, or not yours to see".to_owned(),
            });
            Ok(None)
        }
        Err(cause) => Err(cause.into()),
    }
}

/// Filling in, which may take a while: it is done apart from other requests.
struct Work {
    app: web::Data<App>,
    template: Template,
    body_override: Option<BodyMd>,
    vars: Map<String, Value>,
    context: Map<String, Value>,
}

struct Used {
    template: Template,
    is_overridden: bool,
}

impl Work {
    fn perform(self) -> ApiResult<(Used, PromptText, usize)> {
        let data = Data {
            schema: &self.template.lint,
            vars: &self.vars,
            context: self.context,
        };
        let rendered = if let Some(body) = &self.body_override {
            render(&overriding(body, &self.template)?, data)
        } else {
            let ready = self.app.templates.ready(&self.template);
            let ready = ready.map_err(|findings| faulty(Failure::Body(findings), "templateId"))?;
            render(&ready.body, data)
        };
        let member = self
            .body_override
            .as_ref()
            .map_or("templateId", |_| "bodyOverride");
        let text = rendered.map_err(|failure| faulty(failure, member))?.text;
        let counted = tokens(&text);
        let text = text.parse().map_err(|fault: domain::Fault| {
            ApiError::invalid(member, format!("gives a text that {}", fault.0))
        })?;
        let used = Used {
            is_overridden: self.body_override.is_some(),
            template: self.template,
        };
        Ok((used, text, counted))
    }
}

/// The body that takes the place of a template's: it keeps to the same variables.
fn overriding(body: &BodyMd, template: &Template) -> ApiResult<domain::templates::Body> {
    let findings = lint(body, &template.lint).findings;
    // A variable that only the template itself needs is no fault of this text.
    let findings: Vec<_> = findings
        .into_iter()
        .filter(|finding| finding.code != domain::templates::FindingCode::Unused)
        .collect();
    if !findings.is_empty() {
        return Err(faulty(Failure::Body(findings), "bodyOverride"));
    }
    domain::templates::Body::read(body.as_str())
        .map_err(|findings| faulty(Failure::Body(findings), "bodyOverride"))
}

/// What is wrong, under the member of this request that it comes from.
fn faulty(failure: Failure, member: &str) -> ApiError {
    let faults = refused(failure)
        .into_iter()
        .map(|fault| match fault.field.as_str() {
            "bodyMd" => FieldFault {
                field: member.to_owned(),
                ..fault
            },
            "lintJson" => FieldFault {
                field: "templateId".to_owned(),
                ..fault
            },
            _ => fault,
        });
    ApiError::faults(Code::Invalid, faults.collect())
}
