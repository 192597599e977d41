//! Who did something, and the proof that what was written down of it is still what it was.
//!
//! Entries are made by the database (`audit_append` and the triggers that call it); [`chain`] checks
//! them without asking it. Reading and listing are elsewhere.

pub mod chain;

use crate::{
    Fault,
    auth::{ApiKeyId, Via, Viewer},
    users::{CompanyId, UserId},
};

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

text_enum!(
    /// What kind of actor did something.
    ActorKind {
        /// Somebody who signed in.
        User = "user",
        /// Somebody's API key.
        ApiKey = "apiKey",
        /// The API, for somebody who has not signed in: as when they register.
        Service = "service",
        /// A worker, a command line, or a hand at the database.
        System = "system",
    }
);

text_enum!(
    /// What was done.
    Action {
        /// A row came to be.
        Created = "created",
        /// A row was changed.
        Updated = "updated",
        /// A row was removed.
        Deleted = "deleted",
        /// The audit log was read.
        Read = "read",
    }
);

text_enum!(
    /// What something was done to.
    Entity {
        /// A person.
        User = "user",
        /// An invitation to a company.
        Invitation = "invitation",
        /// A personal API key.
        ApiKey = "apiKey",
        /// A company's key of a model provider.
        ProviderKey = "providerKey",
        /// A model of a company's own.
        Model = "model",
        /// Whether a company offers a model.
        ModelChoice = "modelChoice",
        /// The model that a company uses where none is named.
        ModelDefault = "modelDefault",
        /// A prompt.
        Prompt = "prompt",
        /// A label of a prompt.
        PromptLabel = "promptLabel",
        /// A template of prompts.
        PromptTemplate = "promptTemplate",
        /// A dataset.
        Dataset = "dataset",
        /// A document.
        Document = "document",
        /// A workflow.
        Workflow = "workflow",
        /// A run.
        Run = "run",
        /// An execution of a workflow.
        Execution = "execution",
        /// A tracker of issues.
        Tracker = "tracker",
        /// A request for a prompt.
        Request = "request",
        /// A kept output.
        Output = "output",
        /// How long a company keeps something.
        Retention = "retention",
        /// Jobs that a person retried or gave up.
        Job = "job",
        /// A pause of a kind of job.
        JobPause = "jobPause",
        /// The audit log itself.
        Audit = "audit",
    }
);

checked_text!(
    /// The key of a row as the audit log names it: up to 200 letters, digits, dots, slashes, hyphens
    /// and underscores.
    EntityKey,
    |text| key(text)
);

fn key(text: &str) -> Result<String, Fault> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    if (1..=200).contains(&text.len()) && text.bytes().all(plain) {
        return Ok(text.to_owned());
    }
    let rule = "must be 1 to 200 letters, digits, dots, slashes, hyphens and underscores";
    Err(Fault(rule.into()))
}

/// What every change that is made through a connection is signed with: read by the triggers of the
/// audit log, as JSON.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Signature {
    /// What kind of actor.
    pub kind: ActorKind,
    /// The person.
    pub id: Option<UserId>,
    /// What acts, where it is no person.
    pub name: Option<&'static str>,
    /// The API key.
    pub key: Option<ApiKeyId>,
    /// Whose rows are changed where a row does not say so.
    pub company: Option<CompanyId>,
    /// From where.
    pub ip: String,
    /// With which program.
    pub agent: String,
    /// In which request.
    pub request: String,
}

impl Signature {
    /// Of whoever asks, if they have proved who they are. Texts lose what Postgres cannot store.
    pub fn new(viewer: Option<&Viewer>, ip: &str, agent: &str, request: String) -> Self {
        let (kind, key) = match viewer.map(|viewer| &viewer.via) {
            None => (ActorKind::Service, None),
            Some(Via::ApiKey(id, _)) => (ActorKind::ApiKey, Some(*id)),
            Some(Via::Session(_) | Via::SingleUser) => (ActorKind::User, None),
        };
        Self {
            kind,
            id: viewer.map(|viewer| viewer.user_id),
            name: viewer.is_none().then_some("api"),
            key,
            company: viewer.map(|viewer| viewer.company_id),
            ip: ip.to_owned(),
            agent: agent.replace('\0', ""),
            request,
        }
    }
}

/// The end of a chain as somebody noted it elsewhere: `17:` and the hash in 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted(pub chain::Link);

impl std::str::FromStr for Noted {
    type Err = Fault;
    fn from_str(text: &str) -> Result<Self, Fault> {
        let fault =
            || Fault("must be a number, a colon and 64 hexadecimal digits in lower case".into());
        let (number, hash) = text.split_once(':').ok_or_else(fault)?;
        let digits = number.bytes().all(|byte| byte.is_ascii_digit()) && number.len() <= 18;
        let number = number.parse().ok().filter(|_| digits);
        if hash.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(fault());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(hash, &mut bytes).map_err(|_| fault())?;
        Ok(Self(chain::Link {
            number: number.ok_or_else(fault)?,
            hash: bytes,
        }))
    }
}

impl<E: deserr::DeserializeError> deserr::Deserr<E> for Noted {
    fn deserialize_from_value<V: deserr::IntoValue>(
        value: deserr::Value<V>,
        location: deserr::ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        crate::codec::parse_at(value, location)
    }
}
