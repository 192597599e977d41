//! Trying templates: what is wrong with a text that is not saved, and what becomes of a saved one.

use std::collections::BTreeMap;

use actix_web::{post, web};
use deserr::Deserr;
use domain::templates::{
    BodyMd, Data, Failure, Finding, ROOTS, TemplateId, render as fill_in, tokens,
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{linted, missing};
use crate::{
    context::{Context, Reader},
    error::{ApiError, ApiResult, Code, FieldFault},
    extract::{Body, Faults, Path},
};

/// A text to be looked at.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct LintBody {
    /// What a template would say, 1 to 200 000 characters.
    #[schema(value_type = String, min_length = 1, max_length = 200_000)]
    body_md: BodyMd,
    /// The JSON Schema of its variables.
    #[schema(value_type = Option<Value>)]
    #[deserr(default)]
    lint_json: Option<Value>,
}

/// Something wrong with a template.
#[derive(Debug, Serialize, ToSchema)]
pub struct FindingView {
    /// What has to be corrected: `bodyMd` or `lintJson`.
    field: String,
    /// What kind of thing: `syntax`, `unknown_helper`, `helper_use`, `undeclared`, `unused`, `schema`.
    code: String,
    /// The line of the body, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// The character of the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    /// The same in a sentence.
    message: String,
}

impl FindingView {
    fn of(finding: Finding) -> Self {
        Self {
            field: finding.member().to_owned(),
            code: finding.code.to_string(),
            line: finding.at.map(|at| at.line),
            column: finding.at.map(|at| at.column),
            message: finding.message,
        }
    }
}

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub struct LintView {
    /// Everything that is wrong; a template without findings can be saved.
    findings: Vec<FindingView>,
    /// The values that are used, such as `title`, `issue.title` or `items[].name`.
    placeholders: Vec<String>,
}

/// Looks at a text that is not saved, and tells everything that is wrong with it.
#[utoipa::path(tag = "Templates", request_body = LintBody, responses((status = 200, body = LintView)))]
#[post("/prompt-templates/lint")]
pub async fn lint_unsaved(
    _context: Context<Reader>,
    Body(body): Body<LintBody>,
) -> ApiResult<web::Json<LintView>> {
    let schema = body.lint_json.unwrap_or_else(|| json!({}));
    let linted = linted(&body.body_md, &schema).await?;
    Ok(web::Json(LintView {
        findings: linted.findings.into_iter().map(FindingView::of).collect(),
        placeholders: linted.placeholders,
    }))
}

/// What a template is filled in with.
#[derive(Debug, Deserr, ToSchema)]
#[deserr(error = Faults, rename_all = camelCase)]
#[schema(rename_all = "camelCase")]
pub struct RenderBody {
    /// Its variables.
    #[schema(value_type = Option<Object>)]
    #[deserr(default)]
    vars: Option<BTreeMap<String, Value>>,
    /// What it is filled in for: `issue`, `request`, `tracker`, `user` and `company`, an object each.
    #[schema(value_type = Option<Object>)]
    #[deserr(default)]
    context: Option<BTreeMap<String, Value>>,
}

/// A template filled in.
#[derive(Debug, Serialize, ToSchema)]
pub struct RenderView {
    /// The text.
    text: String,
    /// The values that it used.
    placeholders: Vec<String>,
    /// How many tokens the text has, as GPT-3.5 counts.
    tokens: usize,
}

/// What is wrong with a context.
fn faults_of(context: &Map<String, Value>) -> Vec<FieldFault> {
    let fault = |(name, value): (&String, &Value)| {
        let message = if !ROOTS.contains(&name.as_str()) {
            format!("is not known here; known are {}", ROOTS.join(", "))
        } else if value.is_object() {
            return None;
        } else {
            "must be object".to_owned()
        };
        let field = format!("context.{name}");
        Some(FieldFault { field, message })
    };
    context.iter().filter_map(fault).collect()
}

/// What is wrong with variables and body, under the members `vars` and `bodyMd`.
pub fn refused(failure: Failure) -> Vec<FieldFault> {
    let of_vars = |(name, fault): (String, domain::Fault)| FieldFault {
        field: if name.is_empty() {
            "vars".to_owned()
        } else {
            format!("vars.{name}")
        },
        message: fault.0,
    };
    let of_body = |finding: Finding| FieldFault {
        field: finding.member().to_owned(),
        message: finding.sentence(),
    };
    match failure {
        Failure::Vars(faults) => faults.into_iter().map(of_vars).collect(),
        Failure::Body(findings) => findings.into_iter().map(of_body).collect(),
    }
}

/// Fills a template in with these values, and keeps nothing of it.
#[utoipa::path(tag = "Templates", params(("id" = TemplateId, Path, description = "The template")),
    request_body = RenderBody, responses((status = 200, body = RenderView)))]
#[post("/prompt-templates/{id}/render")]
pub async fn render(
    context: Context<Reader>,
    Path(id): Path<TemplateId>,
    Body(body): Body<RenderBody>,
) -> ApiResult<web::Json<RenderView>> {
    let template = db::templates::find(&mut *context.db().await?, &context.who, id).await;
    let template = template.map_err(missing)?;
    let vars: Map<String, Value> = body.vars.unwrap_or_default().into_iter().collect();
    let around: Map<String, Value> = body.context.unwrap_or_default().into_iter().collect();
    let mut faults = faults_of(&around);
    let app = context.shared();
    let work = move || -> Result<RenderView, Vec<FieldFault>> {
        let ready = app
            .templates
            .ready(&template)
            .map_err(|findings| refused(Failure::Body(findings)))?;
        let data = Data {
            schema: &template.lint,
            vars: &vars,
            context: around,
        };
        match fill_in(&ready.body, data) {
            Ok(rendered) if faults.is_empty() => Ok(RenderView {
                tokens: tokens(&rendered.text),
                text: rendered.text,
                placeholders: ready.placeholders.clone(),
            }),
            Ok(_) => Err(faults),
            Err(failure) => {
                faults.extend(refused(failure));
                Err(faults)
            }
        }
    };
    let done = web::block(work).await;
    let done = done.map_err(|cause| ApiError::internal(&cause))?;
    done.map(web::Json)
        .map_err(|faults| ApiError::faults(Code::Invalid, faults))
}
