//! Which requests are asked for.

use db::requests::{Filter, Place};
use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, ValuePointerRef};
use domain::{
    auth::Viewer,
    page::{Limit, Moment},
    prompts::PromptQuery,
    requests::{RequestPriority, RequestStatus, Vendor},
    users::UserId,
};
use utoipa::IntoParams;

use crate::extract::Faults;

/// Which requests are listed.
#[derive(Debug, Deserr, IntoParams)]
#[deserr(error = Faults, rename_all = camelCase, deny_unknown_fields)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct RequestsQuery {
    /// Only those that have come so far.
    #[param(inline)]
    #[deserr(default)]
    status: Option<RequestStatus>,
    /// Only those of this urgency.
    #[param(inline)]
    #[deserr(default)]
    priority: Option<RequestPriority>,
    /// Only those of this vendor, exactly as it is written.
    #[param(value_type = Option<String>, min_length = 1, max_length = 100)]
    #[deserr(default)]
    vendor: Option<Vendor>,
    /// Only those assigned to this developer: an id, or `me`.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    assigned_to: Option<Somebody>,
    /// Only those made by this person: an id, or `me`.
    #[param(value_type = Option<String>)]
    #[deserr(default)]
    created_by: Option<Somebody>,
    /// Only with this in title, description or vendor, whatever the case; 1 to 200 characters.
    #[param(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[deserr(default)]
    q: Option<PromptQuery>,
    /// Only what changed at or after this moment, in the order of the changes.
    #[param(value_type = Option<chrono::DateTime<chrono::Utc>>)]
    #[deserr(default)]
    updated_since: Option<Moment>,
    /// The most requests to answer, 1 to 1000; 1000 if absent.
    #[deserr(default)]
    #[param(value_type = Option<i64>, minimum = 1, maximum = 1000)]
    pub limit: Option<Limit>,
    /// Where the page starts, from the `Link` of the one before.
    #[deserr(default)]
    pub cursor: Option<String>,
}

impl RequestsQuery {
    /// What is looked for, on the page behind this place.
    pub fn filter(self, viewer: &Viewer, after: Option<Place>) -> Filter {
        Filter {
            text: self.q,
            status: self.status,
            priority: self.priority,
            vendor: self.vendor,
            assigned_to: self.assigned_to.map(|somebody| somebody.seen_by(viewer)),
            created_by: self.created_by.map(|somebody| somebody.seen_by(viewer)),
            updated_since: self.updated_since.map(|moment| moment.0),
            after,
        }
    }
}

/// A person in a query.
#[derive(Debug, Clone, Copy)]
enum Somebody {
    /// Who asks.
    Me,
    /// Who has this id.
    Other(UserId),
}

impl Somebody {
    fn seen_by(self, viewer: &Viewer) -> UserId {
        match self {
            Self::Me => viewer.user_id,
            Self::Other(id) => id,
        }
    }
}

impl<E: DeserializeError> Deserr<E> for Somebody {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let text = String::deserialize_from_value(value, location)?;
        if text == "me" {
            return Ok(Self::Me);
        }
        text.parse().map(Self::Other).map_err(|_| {
            let msg = "must be `me` or a UUID".to_owned();
            deserr::take_cf_content(E::error::<V>(None, ErrorKind::Unexpected { msg }, location))
        })
    }
}
