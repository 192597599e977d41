//! The cells of a run as a file, read page by page while the caller takes it: no connection is held
//! in between, and no more than a page is in memory.

use std::{collections::HashMap, io, mem};

use actix_web::{
    HttpResponse, get,
    http::header::{self, ContentDisposition},
    web::Bytes,
};
use db::runs::{
    Run,
    cells::{self, Cell, Filter, Place},
};
use deserr::Deserr;
use domain::{
    datasets::{Cells, export::Object},
    page::Limit,
    runs::{
        RunId,
        export::{ExportCell, csv, json_line, junit},
    },
};
use futures::{Stream, stream};
use utoipa::{IntoParams, ToSchema};

use super::{missing, view::counters};
use crate::{
    context::{Context, Developer},
    error::{ApiError, ApiResult},
    extract::{Faults, Path, Query},
};

/// How a run is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserr, ToSchema)]
#[deserr(rename_all = lowercase)]
#[schema(rename_all = "lowercase")]
enum RunExportFormat {
    /// For spreadsheets.
    #[default]
    Csv,
    /// For programs: an object per line, without loss.
    Jsonl,
    /// For what builds and tests by itself.
    Junit,
}

impl RunExportFormat {
    fn content_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8",
            Self::Jsonl => "application/x-ndjson",
            Self::Junit => "application/xml; charset=utf-8",
        }
    }

    fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Junit => "xml",
        }
    }
}

#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExportQuery {
    /// How it is written; `csv` if absent.
    #[param(inline)]
    #[deserr(default)]
    format: Option<RunExportFormat>,
}

/// All cells of a run as a file, with the values of their rows.
#[utoipa::path(tag = "Runs", params(("id" = RunId, Path, description = "The run"), ExportQuery),
    responses((status = 200, description = "The cells, as they are read from the database",
        content((String = "text/csv"), (String = "application/x-ndjson"),
            (String = "application/xml")))))]
#[get("/runs/{id}/export")]
pub async fn export(
    context: Context<Developer>,
    Path(id): Path<RunId>,
    Query(query): Query<ExportQuery>,
) -> ApiResult<HttpResponse> {
    let format = query.format.unwrap_or_default();
    let mut conn = context.db().await?;
    let run = db::runs::find(&mut conn, &context.who, id).await;
    let run = run.map_err(missing)?;
    let headers = cells::headers(&mut conn, &run).await?;
    let sums = db::runs::sums(&mut conn, &[id]).await?.remove(&id);
    drop(conn);
    let name = format!("{}.{}", run.prompt_title, format.ending());
    let file = Export::new(context, run, headers, sums.unwrap_or_default(), format);
    Ok(HttpResponse::Ok()
        .content_type(format.content_type())
        .insert_header(ContentDisposition::attachment(name))
        .insert_header((header::CONTENT_SECURITY_POLICY, "sandbox"))
        .streaming(file.stream()))
}

/// A file on its way.
struct Export {
    context: Context<Developer>,
    run: Run,
    headers: Vec<String>,
    models: Vec<String>,
    format: RunExportFormat,
    /// Columns that are written one by one, and not yet begun.
    suites: Vec<junit::Suite>,
    /// What is written next: these cells from there on.
    next: Option<Filter>,
    out: Vec<u8>,
}

impl Export {
    fn new(
        context: Context<Developer>,
        run: Run,
        headers: Vec<String>,
        sums: db::runs::Sums,
        format: RunExportFormat,
    ) -> Self {
        let grading = run.plan.is_graded || !run.plan.checks.0.is_empty();
        let suite = |column: &db::runs::Column| {
            let counters = counters(column, &sums.latencies, grading);
            junit::Suite::of(column.column_index, &column.model_name, &counters)
        };
        let mut file = Self {
            suites: sums.columns.iter().map(suite).collect(),
            models: sums
                .columns
                .into_iter()
                .map(|column| column.model_name)
                .collect(),
            context,
            run,
            headers,
            format,
            next: Some(Filter::default()),
            out: Vec::new(),
        };
        file.begin();
        file
    }

    fn begin(&mut self) {
        match self.format {
            RunExportFormat::Jsonl => {}
            RunExportFormat::Csv => csv::head(&mut self.out, &self.headers),
            RunExportFormat::Junit => {
                let name = format!("{} ({})", self.run.prompt_title, self.run.version_label);
                self.xml(|file, out| junit::open(out, &name, &file.suites));
                // The next column is taken from the end.
                self.suites.reverse();
                self.next = self.next_suite();
            }
        }
    }

    /// Begins the next column, or ends the document.
    fn next_suite(&mut self) -> Option<Filter> {
        let Some(suite) = self.suites.pop() else {
            self.xml(|_, out| junit::close(out));
            return None;
        };
        self.xml(|_, out| junit::open_suite(out, &suite));
        let begun = self.models.len() - self.suites.len() - 1;
        Some(Filter {
            column: i16::try_from(begun).ok(),
            ..Filter::default()
        })
    }

    fn xml(&mut self, write: impl FnOnce(&Self, &mut String)) {
        let mut text = String::new();
        write(self, &mut text);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn stream(self) -> impl Stream<Item = io::Result<Bytes>> {
        stream::try_unfold(self, async |mut file| match file.more().await {
            Ok(bytes) => Ok(bytes.map(|bytes| (bytes, file))),
            // Too late for an answer of its own: the connection breaks off.
            Err(cause) => Err(io::Error::other(cause.to_string())),
        })
    }

    async fn more(&mut self) -> ApiResult<Option<Bytes>> {
        if let Some(filter) = self.next.take() {
            let (page, next, inputs) = self.read(&filter).await?;
            self.write(&page, &inputs)?;
            self.next = match next {
                Some(place) => Some(Filter {
                    after: Some(place),
                    ..filter
                }),
                None if self.format == RunExportFormat::Junit => {
                    self.xml(|_, out| junit::close_suite(out));
                    self.next_suite()
                }
                None => None,
            };
        }
        let out = mem::take(&mut self.out);
        Ok((!out.is_empty()).then(|| out.into()))
    }

    async fn read(
        &self,
        filter: &Filter,
    ) -> ApiResult<(Vec<Cell>, Option<Place>, HashMap<i32, Cells>)> {
        let mut conn = self.context.db().await?;
        let page = cells::page(&mut conn, self.run.id, filter, Limit::DEFAULT).await?;
        if page.rows.is_empty() {
            // There were cells: the run was deleted, and half a file is none.
            return Err(ApiError::not_found("run"));
        }
        let inputs = match self.format {
            RunExportFormat::Junit => HashMap::new(),
            _ => cells::inputs(&mut conn, &self.run, &page.rows).await?,
        };
        Ok((page.rows, page.next, inputs))
    }

    fn write(&mut self, page: &[Cell], inputs: &HashMap<i32, Cells>) -> ApiResult<()> {
        let mut out = mem::take(&mut self.out);
        for cell in page {
            let inputs = inputs.get(&cell.row_index);
            let cell = self.exported(cell, inputs.map(Vec::as_slice));
            match self.format {
                RunExportFormat::Csv => csv::line(&mut out, &cell),
                RunExportFormat::Jsonl => json_line(&mut out, &cell),
                RunExportFormat::Junit => {
                    let mut text = String::new();
                    junit::case(&mut text, &cell);
                    out.extend_from_slice(text.as_bytes());
                    Ok(())
                }
            }
            .map_err(|cause| ApiError::internal(&cause))?;
        }
        self.out = out;
        Ok(())
    }

    fn exported<'a>(
        &'a self,
        cell: &'a Cell,
        inputs: Option<&'a [Option<String>]>,
    ) -> ExportCell<'a> {
        let model = usize::try_from(cell.column_index).ok();
        let model = model.and_then(|index| self.models.get(index));
        ExportCell {
            run_id: cell.run_id,
            version: &self.run.version_label,
            column_index: cell.column_index,
            model: model.map_or("", String::as_str),
            row_index: cell.row_index,
            repeat: cell.repeat,
            status: cell.status,
            inputs: Object {
                headers: &self.headers,
                cells: inputs.unwrap_or_default(),
            },
            output_raw: cell.output_raw.as_deref(),
            output_parsed: cell.output_parsed.as_deref(),
            grade: cell.effective_grade,
            grade_source: cell.grade_source,
            checks: cell.checks.as_ref(),
            tokens_in: cell.tokens_in,
            tokens_out: cell.tokens_out,
            tokens_thinking: cell.tokens_thinking,
            cost: cell.cost,
            latency_ms: cell.latency_ms,
            cached: cell.cached,
            attempt_count: cell.attempt_count,
            error_code: cell.error_code.as_deref(),
            error_message: cell.error_message.as_deref(),
            model_version: cell.model_version.as_deref(),
        }
    }
}
