//! The chain of entries: each holds the hash of the one before, so that none can be changed,
//! removed or moved without those behind it telling.
//!
//! The hash is SHA-256 of the entry's fields in the order of [`Entry::canonical`]. Each is written as
//! its length in bytes, a colon and its text, or as a dash if it is null; line feeds stand between.
//! Lengths come first, so no two entries have the same text. Times are microseconds since 1970, JSON is
//! as Postgres writes `jsonb`, the previous hash and ids are hexadecimal in lower case.
//!
//! What the chain cannot tell by itself is that its end was cut off: that takes a [`Link`] noted
//! elsewhere.

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// A place in a chain: how many entries there are up to it, and the hash of the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The number of the entry; 0 before the first.
    pub number: i64,
    /// Its hash; zeros before the first.
    pub hash: [u8; 32],
}

impl Link {
    /// Before the first entry.
    pub const START: Self = Self {
        number: 0,
        hash: [0; 32],
    };
}

/// An entry as it is stored.
#[derive(Debug, Clone, diesel::Queryable)]
pub struct Entry {
    /// Whose chain.
    pub company_id: Uuid,
    /// Its place, from 1.
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// What kind of actor.
    pub actor_kind: String,
    /// Who.
    pub actor_id: Option<Uuid>,
    /// What they were called.
    pub actor_name: String,
    /// With which key.
    pub api_key_id: Option<Uuid>,
    /// From where.
    pub ip: Option<String>,
    /// With which program.
    pub user_agent: Option<String>,
    /// In which request.
    pub request_id: Option<String>,
    /// What was done.
    pub action: String,
    /// To what kind of row.
    pub entity: String,
    /// To which row.
    pub entity_id: String,
    /// What it was, as Postgres writes it.
    pub before: Option<String>,
    /// What it became.
    pub after: Option<String>,
    /// The hash of the entry before.
    pub previous: Vec<u8>,
    /// The hash of this one.
    pub hash: Vec<u8>,
}

impl Entry {
    /// The text that is hashed.
    pub fn canonical(&self) -> String {
        let id = |id: &Option<Uuid>| id.map(|id| id.to_string());
        let fields = [
            Some(hex::encode(&self.previous)),
            Some(self.company_id.to_string()),
            Some(self.number.to_string()),
            Some(self.at.timestamp_micros().to_string()),
            Some(self.actor_kind.clone()),
            id(&self.actor_id),
            Some(self.actor_name.clone()),
            id(&self.api_key_id),
            self.ip.clone(),
            self.user_agent.clone(),
            self.request_id.clone(),
            Some(self.action.clone()),
            Some(self.entity.clone()),
            Some(self.entity_id.clone()),
            self.before.clone(),
            self.after.clone(),
        ];
        let write = |field: Option<String>| match field {
            Some(text) => format!("{}:{text}", text.len()),
            None => "-".to_owned(),
        };
        fields.map(write).join("\n")
    }

    /// The hash that this entry should have.
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(self.canonical()).into()
    }
}

/// Why a chain is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// A number is not there.
    #[error("the entry is missing")]
    Missing,
    /// A number is there that should not.
    #[error("the entry stands behind the end of the chain")]
    Surplus,
    /// Its fields have another hash.
    #[error("the entry was changed: its fields do not have its hash")]
    Changed,
    /// The one before has another hash.
    #[error("the entry does not follow the one before: it holds another hash of it")]
    Unlinked,
    /// The head has another hash.
    #[error("the last entry is not the one that the head of the chain names")]
    Head,
    /// It is not what was noted elsewhere.
    #[error("the entry is not the one whose hash was noted")]
    Noted,
    /// What was noted has been cut away, in order or not.
    #[error("the noted entry was removed with the oldest; note the head anew")]
    Gone,
}

/// Where a chain breaks first, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {number}: {reason}")]
pub struct Broken {
    /// The number of the first entry that is not right.
    pub number: i64,
    /// What is wrong with it.
    pub reason: Reason,
}

/// A chain that is followed entry by entry.
#[derive(Debug)]
pub struct Chain {
    last: Link,
    noted: Option<Link>,
}

impl Chain {
    /// A chain that goes on from here, and should pass through `noted`.
    pub fn from(start: Link, noted: Option<Link>) -> Result<Self, Broken> {
        let chain = Self { last: start, noted };
        match noted {
            Some(noted) if noted.number < start.number => Err(Broken {
                number: noted.number,
                reason: Reason::Gone,
            }),
            _ => chain.compare().map(|()| chain),
        }
    }

    /// Takes the next entry.
    pub fn follow(&mut self, entry: &Entry) -> Result<(), Broken> {
        let number = self.last.number + 1;
        let broken = |reason| Err(Broken { number, reason });
        let hash = entry.digest();
        if entry.number != number {
            return broken(Reason::Missing);
        }
        if entry.hash != hash {
            return broken(Reason::Changed);
        }
        if entry.previous != self.last.hash {
            return broken(Reason::Unlinked);
        }
        self.last = Link { number, hash };
        self.compare()
    }

    /// Whether it ends where its head says, and reached what was noted.
    pub fn end(&self, head: &Link) -> Result<(), Broken> {
        let next = self.last.number + 1;
        let broken = |number, reason| Err(Broken { number, reason });
        if self.last.number < head.number {
            return broken(next, Reason::Missing);
        }
        if self.last.number > head.number {
            return broken(head.number + 1, Reason::Surplus);
        }
        if self.last.hash != head.hash {
            return broken(self.last.number, Reason::Head);
        }
        match self.noted {
            Some(noted) if noted.number > head.number => broken(next, Reason::Missing),
            _ => Ok(()),
        }
    }

    fn compare(&self) -> Result<(), Broken> {
        match self.noted {
            Some(noted) if noted.number == self.last.number && noted.hash != self.last.hash => {
                Err(Broken {
                    number: noted.number,
                    reason: Reason::Noted,
                })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
