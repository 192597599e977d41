//! Requests: what colleagues ask of those who work with prompts, from submission to acceptance. Who
//! may move one on, and to what, is the table in [`TRANSITIONS`].

mod transitions;

pub use transitions::{Means, Party, Standing, TRANSITIONS, Transition, allowed, permits};

use deserr::{DeserializeError, Deserr, ErrorKind, IntoValue, ValuePointerRef, take_cf_content};

use crate::{Fault, codec::trimmed};

id!(
    /// A request.
    RequestId,
    /// A comment on a request.
    CommentId,
    /// Something that happened to a request.
    ActivityId,
);

text_enum!(
    /// How far a request has come, in the order of the usual way.
    RequestStatus {
        /// It was made and nobody has looked at it.
        Submitted = "Submitted" | "submitted" | "SUBMITTED",
        /// A lead looks whether it can be done.
        FeasibilityReview = "Feasibility Review" | "feasibility_review" | "FEASIBILITY_REVIEW",
        /// It can be done, and a lead looks for who does it.
        ResourceAllocation = "Resource Allocation" | "resource_allocation" | "RESOURCE_ALLOCATION",
        /// A developer was assigned and looks into it.
        EngineeringReview = "Engineering Review" | "engineering_review" | "ENGINEERING_REVIEW",
        /// The developer works on it.
        InProgress = "In Progress" | "in_progress" | "IN_PROGRESS",
        /// The developer is done, and who asked for it looks at the outcome.
        Completed = "Completed" | "completed" | "COMPLETED",
        /// Who asked for it wants it otherwise.
        RevisionRequested = "Revision Requested" | "revision_requested" | "REVISION_REQUESTED",
        /// Who asked for it is content.
        Accepted = "Accepted" | "accepted" | "ACCEPTED",
        /// It will not be done.
        Denied = "Denied" | "denied" | "DENIED",
    }
);

text_enum!(
    /// How urgent a request is.
    RequestPriority {
        /// It can wait.
        Low = "Low" | "low" | "LOW",
        /// As most of them.
        Medium = "Medium" | "medium" | "MEDIUM",
        /// Somebody waits for it.
        High = "High" | "high" | "HIGH",
    }
);

text_enum!(
    /// What happened to a request.
    RequestAction {
        /// It was made.
        Created = "created",
        /// It came into another status.
        StatusChanged = "status_changed",
        /// It was given to a developer, and came to engineering review by that.
        Assigned = "assigned",
        /// Somebody commented on it.
        Commented = "commented",
    }
);

checked_text!(
    /// What a request is about, 3 to 255 characters.
    RequestTitle,
    |text| trimmed(text, 3, 255)
);

checked_text!(
    /// What is asked for, 10 to 5000 characters.
    RequestDescription,
    |text| trimmed(text, 10, 5000)
);

checked_text!(
    /// Whose product it concerns, 1 to 100 characters.
    Vendor,
    |text| trimmed(text, 1, 100)
);

checked_text!(
    /// What somebody says about a request, 1 to 2000 characters.
    CommentText,
    |text| trimmed(text, 1, 2000)
);

/// How long a developer will need, in hours: 1 to 1000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EstimatedHours(i32);

impl EstimatedHours {
    /// The number of hours.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for EstimatedHours {
    type Error = Fault;
    fn try_from(hours: i64) -> Result<Self, Fault> {
        let hours = i32::try_from(hours).ok();
        let hours = hours.filter(|hours| (1..=1000).contains(hours));
        hours
            .map(Self)
            .ok_or_else(|| Fault("must be between 1 and 1000".into()))
    }
}

impl<E: DeserializeError> Deserr<E> for EstimatedHours {
    fn deserialize_from_value<V: IntoValue>(
        value: deserr::Value<V>,
        location: ValuePointerRef<'_>,
    ) -> Result<Self, E> {
        let hours = i64::deserialize_from_value(value, location)?;
        Self::try_from(hours).map_err(|Fault(msg)| {
            take_cf_content(E::error::<V>(None, ErrorKind::Unexpected { msg }, location))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_known_in_every_spelling_that_is_in_use() {
        for status in RequestStatus::ALL {
            let snake = status.as_str().to_lowercase().replace(' ', "_");
            for spelling in [status.as_str(), &snake, &snake.to_uppercase()] {
                assert_eq!(spelling.parse(), Ok(*status), "{spelling}");
            }
        }
        assert!("Discussion".parse::<RequestStatus>().is_err());
    }

    #[test]
    fn texts_are_trimmed_before_they_are_measured() {
        assert_eq!(
            " Arm \n".parse::<RequestTitle>().expect("a title").as_str(),
            "Arm"
        );
        assert!("  ab ".parse::<RequestTitle>().is_err());
        assert!("short    ".parse::<RequestDescription>().is_err());
        assert!(" ".parse::<Vendor>().is_err());
        assert!("x".repeat(2001).parse::<CommentText>().is_err());
    }

    #[test]
    fn hours_are_whole_and_bounded() {
        assert_eq!(
            EstimatedHours::try_from(1000).map(EstimatedHours::get),
            Ok(1000)
        );
        for hours in [0, -1, 1001, i64::MAX] {
            assert!(EstimatedHours::try_from(hours).is_err(), "{hours}");
        }
    }
}
