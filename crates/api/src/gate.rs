//! What every request under `/api` passes before its handler: who asks, from where, and whether
//! they ask too often.

use actix_web::{
    Error, HttpMessage,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

use crate::{
    context::{Client, Identity},
    error::{ApiError, Code},
};

/// Finds out who asks and from where, and leaves it for [`crate::context::Context`].
pub async fn pass<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let client = Client {
        ip: String::new(),
        user_agent: String::new(),
    };
    let unknown = ApiError::new(
        Code::Unauthenticated,
        "Sign in, or send an API key as Bearer.",
    );
    request.extensions_mut().insert(client);
    request.extensions_mut().insert(Identity(Err(unknown)));
    next.call(request).await
}
