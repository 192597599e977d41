//! Who did something: the actor that every change names.

use crate::users::{CompanyId, UserId};

/// Who acts, and for which request.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_field_names,
    reason = "they are named as the columns they end in"
)]
pub struct Actor {
    /// The company in which the change happens.
    pub company_id: CompanyId,
    /// The person, unless the system itself acts.
    pub user_id: Option<UserId>,
    /// The request that caused it, for following it through the logs.
    pub request_id: Option<String>,
}
