//! How somebody proves who they are: passwords, keys and what they may reach.

id!(
    /// A personal API key.
    ApiKeyId,
    /// A signed-in session: the family of refresh tokens that follow one sign-in.
    SessionId,
);

text_enum!(
    /// What a personal API key may be used for.
    Scope {
        /// Reading.
        Read = "read",
        /// Creating, changing and deleting.
        Write = "write",
        /// Starting work that costs money: runs, workflows, model calls.
        Run = "run",
    }
);

use crate::users::{CompanyId, Role, UserId};

/// Who is asking, once that is proven: what every query of rows takes to know what may be seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Viewer {
    /// The person.
    pub user_id: UserId,
    /// Their company.
    pub company_id: CompanyId,
    /// What they may do.
    pub role: Role,
    /// How they proved it.
    pub via: Via,
}

/// How somebody proved who they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Via {
    /// An access token of a session.
    Session(SessionId),
    /// A personal API key, good for these scopes only.
    ApiKey(ApiKeyId, Vec<Scope>),
    /// The one user of an installation without sign-in.
    SingleUser,
}

impl Viewer {
    /// Whether the way they proved themselves reaches this far.
    pub fn has_scope(&self, scope: Scope) -> bool {
        match &self.via {
            Via::ApiKey(_, scopes) => scopes.contains(&scope),
            Via::Session(_) | Via::SingleUser => true,
        }
    }
}
