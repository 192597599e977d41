//! What a tracker is signed in to with.

use serde::{Deserialize, Serialize};

use super::{
    AuthKind,
    oauth::{Token, TokenPair},
};

/// What a tracker is signed in to with. Its JSON holds the secrets themselves and is only ever sealed;
/// `Debug` shows none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum Credentials {
    /// Jira Cloud, by OAuth.
    Grant {
        /// The site.
        cloud_id: String,
        /// Its pair of tokens.
        pair: TokenPair,
    },
    /// Jira Cloud, by an API token of a person.
    Basic {
        /// Whose token it is.
        email: String,
        /// The token.
        token: Token,
    },
    /// A personal access token (Data Center) or an API token (Teamwork).
    Token {
        /// The token.
        token: Token,
    },
}

impl Credentials {
    /// How they sign in.
    pub const fn kind(&self) -> AuthKind {
        match self {
            Self::Grant { .. } => AuthKind::Grant,
            Self::Basic { .. } => AuthKind::Basic,
            Self::Token { .. } => AuthKind::Token,
        }
    }
}
