//! How somebody proves who they are: passwords, keys, tokens, and what they may reach with them.
//! Who they are then is the business of [`crate::users`].

pub mod lockout;
pub mod passwords;
pub mod secrets;

use crate::{
    codec::trimmed,
    users::{CompanyId, Role, UserId},
};

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

text_enum!(
    /// What happened at the door.
    SignInEventKind {
        /// A company and its first admin came to be.
        Registered = "registered",
        /// Address and password were right.
        SignedIn = "signed_in",
        /// Address or password were wrong, or the account is not active.
        Failed = "failed",
        /// Refused unseen, after too many failures.
        Locked = "locked",
        /// A refresh token was exchanged for the next one.
        Refreshed = "refreshed",
        /// A refresh token was presented that had been exchanged before: its session was ended.
        ReuseDetected = "reuse_detected",
        /// One session was ended.
        SignedOut = "signed_out",
        /// All sessions were ended.
        SignedOutEverywhere = "signed_out_everywhere",
        /// A new password was set.
        PasswordChanged = "password_changed",
        /// Somebody joined by an invitation.
        InvitationAccepted = "invitation_accepted",
    }
);

checked_text!(
    /// What an API key is called, 1 to 100 characters.
    KeyName,
    |text| trimmed(text, 1, 100)
);

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
