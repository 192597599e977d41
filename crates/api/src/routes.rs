//! Every route, by area; and what is answered where there is none.

use actix_web::{HttpRequest, HttpResponse, ResponseError, web};
use utoipa::openapi::{OpenApi, PathItem};
use utoipa_actix_web::service_config::ServiceConfig;

use crate::{
    api_keys, archive, audit, auth, datasets, documents,
    error::{ApiError, Code},
    gemini, health, invitations, issues, jobs, lineage, models, outputs, prompts, provider_keys,
    providers, requests, retention, runs, search, stats, templates, trackers, users, webhooks,
    workflows,
};

/// Everything under `/api`, behind the gate.
pub fn api(config: &mut ServiceConfig<'_>) {
    api_keys::routes(config);
    archive::routes(config);
    audit::routes(config);
    auth::routes(config);
    datasets::routes(config);
    documents::routes(config);
    gemini::routes(config);
    invitations::routes(config);
    issues::routes(config);
    jobs::routes(config);
    lineage::routes(config);
    models::routes(config);
    outputs::routes(config);
    provider_keys::routes(config);
    providers::health::routes(config);
    prompts::routes(config);
    requests::routes(config);
    retention::routes(config);
    runs::routes(config);
    search::routes(config);
    stats::routes(config);
    templates::routes(config);
    trackers::routes(config);
    users::routes(config);
    webhooks::routes(config);
    workflows::routes(config);
}

/// What needs no sign-in and no rate limit: health and numbers.
pub fn open(config: &mut ServiceConfig<'_>) {
    health::routes(config);
}

/// The answer where no route matches: 405 with the methods a known path has, else 404.
pub async fn unmatched(request: HttpRequest, document: web::Data<OpenApi>) -> HttpResponse {
    let methods = document
        .paths
        .paths
        .iter()
        .filter(|(template, _)| matches_template(template, request.path()))
        .flat_map(|(_, item)| methods_of(item))
        .collect::<Vec<_>>();
    if methods.is_empty() {
        return ApiError::new(
            Code::NotFound,
            "There is no such route. `/docs` lists all of them.",
        )
        .error_response();
    }
    let allow = methods.join(", ");
    ApiError {
        allow: Some(allow.clone()),
        ..ApiError::new(Code::MethodNotAllowed, format!("This path takes {allow}."))
    }
    .error_response()
}

fn matches_template(template: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(part), Some(value)) if part == value => {}
            (Some(part), Some(value)) if part.starts_with('{') && !value.is_empty() => {}
            _ => return false,
        }
    }
}

/// The methods a path has.
pub fn methods_of(item: &PathItem) -> Vec<&'static str> {
    [
        ("GET", &item.get),
        ("POST", &item.post),
        ("PUT", &item.put),
        ("PATCH", &item.patch),
        ("DELETE", &item.delete),
    ]
    .into_iter()
    .filter_map(|(method, operation)| operation.is_some().then_some(method))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_matches_its_template_only() {
        assert!(matches_template(
            "/api/documents/{id}/chunks",
            "/api/documents/7/chunks"
        ));
        assert!(!matches_template("/api/documents/{id}", "/api/documents/"));
        assert!(!matches_template(
            "/api/documents/{id}",
            "/api/documents/7/chunks"
        ));
    }
}
