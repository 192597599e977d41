//! The OpenAPI document: routes describe their own success, and what every route may answer
//! besides is added here, once.

use utoipa::{
    OpenApi as _,
    openapi::{
        Components, Content, Object, OpenApi, Ref, RefOr, Response, ResponseBuilder, Type,
        path::{Operation, ParameterBuilder, ParameterIn},
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};

use crate::error::{Code, FieldFault, Problem};

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Prompt Architect",
        description = "One self-hosted workbench for teams that work with language models."
    ),
    components(schemas(Problem, FieldFault)),
    security(("bearer" = []))
)]
struct Skeleton;

/// The document before any route has joined.
pub fn skeleton() -> OpenApi {
    let mut document = Skeleton::openapi();
    let bearer = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
    document
        .components
        .get_or_insert_with(Components::new)
        .add_security_scheme("bearer", bearer);
    let service = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::new("X-Service-Key")));
    document
        .components
        .get_or_insert_with(Components::new)
        .add_security_scheme("service", service);
    document
}

/// Adds to every operation the answers that all of its kind share.
pub fn complete(mut document: OpenApi) -> OpenApi {
    for (path, item) in &mut document.paths.paths {
        let has_id = path.contains('{');
        let operations = [
            (&mut item.get, "GET"),
            (&mut item.post, "POST"),
            (&mut item.put, "PUT"),
            (&mut item.patch, "PATCH"),
            (&mut item.delete, "DELETE"),
        ];
        for (operation, method) in operations {
            if let Some(operation) = operation
                && path.starts_with("/api/")
            {
                operation.operation_id = Some(operation_id(method, path));
                add_answers(operation, has_id, method);
                add_headers(operation, method);
            }
        }
    }
    document
}

/// A name that no other operation has: `GET /api/documents/{id}/chunks` is
/// `get_documents_by_id_chunks`.
fn operation_id(method: &str, path: &str) -> String {
    let words = path
        .split('/')
        .skip(2)
        .map(|part| match part.strip_prefix('{') {
            Some(name) => format!("by_{}", name.trim_end_matches('}')),
            None => part.replace('-', "_"),
        });
    [method.to_lowercase()]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join("_")
}

/// Whether an operation takes no sign-in at all.
fn is_public(operation: &Operation) -> bool {
    operation.security.as_ref().is_some_and(|schemes| {
        serde_json::to_value(schemes).is_ok_and(|schemes| schemes == serde_json::json!([{}]))
    })
}

/// Headers that every operation of a kind honours.
fn add_headers(operation: &mut Operation, method: &str) {
    let header = match method {
        "POST" if !is_public(operation) => (
            "Idempotency-Key",
            "1 to 255 visible ASCII characters. The same request with the same key gets the first \
             answer again for 24 hours; another request with it is refused.",
        ),
        "PATCH" | "PUT" => (
            "If-Match",
            "The ETag of the revision to change; any other is refused with 412.",
        ),
        _ => return,
    };
    let parameter = ParameterBuilder::new()
        .name(header.0)
        .parameter_in(ParameterIn::Header)
        .description(Some(header.1))
        .schema(Some(Object::with_type(Type::String)))
        .build();
    operation
        .parameters
        .get_or_insert_default()
        .push(RefOr::T(parameter));
}

fn add_answers(operation: &mut Operation, has_id: bool, method: &str) {
    let (public, writes) = (is_public(operation), method != "GET");
    let has_body = operation.request_body.is_some();
    let shared = [
        (Code::InvalidBody, true),
        (Code::Unauthenticated, !public),
        (Code::Forbidden, !public),
        (Code::NotFound, has_id),
        (Code::Conflict, writes),
        (Code::Stale, writes && has_id || method == "PATCH"),
        (Code::TooLarge, has_body),
        (Code::UnsupportedType, has_body),
        (Code::Invalid, has_body),
        (Code::TooManyRequests, true),
        (Code::Internal, true),
        (Code::Unavailable, true),
    ];
    for (code, applies) in shared {
        let status = code.status().to_string();
        if applies {
            operation
                .responses
                .responses
                .entry(status)
                .or_insert_with(|| RefOr::T(problem(code)));
        }
    }
}

fn problem(code: Code) -> Response {
    ResponseBuilder::new()
        .description(code.title())
        .content(
            "application/problem+json",
            Content::new(Some(RefOr::Ref(Ref::from_schema_name("Problem")))),
        )
        .build()
}
