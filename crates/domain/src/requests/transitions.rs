//! The way of a request as one table: from where, by whom, to what, and by which act. The API, its
//! documentation and the tests all read this one.

use super::RequestStatus::{
    self, Accepted, Completed, Denied, EngineeringReview, FeasibilityReview, InProgress,
    ResourceAllocation, RevisionRequested, Submitted,
};
use crate::users::Role;

/// Who moves a request on. An admin may in the place of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// A lead.
    Lead,
    /// The developer it is assigned to.
    Assignee,
    /// Who made it.
    Creator,
}

impl Party {
    /// In the words of the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lead => "a lead",
            Self::Assignee => "the assigned developer",
            Self::Creator => "its creator",
        }
    }
}

/// By which act a request is moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// By setting its status.
    Status,
    /// By assigning a developer and hours, and in no other way.
    Assignment,
}

impl Means {
    /// In the words of the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Assignment => "assignment",
        }
    }
}

/// One step of the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transition {
    /// Where it begins.
    pub from: RequestStatus,
    /// Who makes it.
    pub who: Party,
    /// Where it ends.
    pub to: RequestStatus,
    /// By which act.
    pub by: Means,
}

const fn step(from: RequestStatus, who: Party, to: RequestStatus) -> Transition {
    Transition {
        from,
        who,
        to,
        by: Means::Status,
    }
}

/// Every step there is. What leads nowhere is an end.
pub const TRANSITIONS: [Transition; 9] = [
    step(Submitted, Party::Lead, FeasibilityReview),
    step(RevisionRequested, Party::Lead, FeasibilityReview),
    step(FeasibilityReview, Party::Lead, ResourceAllocation),
    step(FeasibilityReview, Party::Lead, Denied),
    Transition {
        from: ResourceAllocation,
        who: Party::Lead,
        to: EngineeringReview,
        by: Means::Assignment,
    },
    step(EngineeringReview, Party::Assignee, InProgress),
    step(InProgress, Party::Assignee, Completed),
    step(Completed, Party::Creator, Accepted),
    step(Completed, Party::Creator, RevisionRequested),
];

/// What somebody is to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// What they may do in the company.
    pub role: Role,
    /// Whether they made it.
    pub is_creator: bool,
    /// Whether it is assigned to them.
    pub is_assignee: bool,
}

impl Standing {
    fn is(self, party: Party) -> bool {
        self.role == Role::Admin
            || match party {
                Party::Lead => self.role == Role::Lead,
                Party::Assignee => self.is_assignee,
                Party::Creator => self.is_creator,
            }
    }
}

/// The steps that somebody may make from here, in the order of the table.
pub fn allowed(from: RequestStatus, standing: Standing) -> impl Iterator<Item = Transition> {
    TRANSITIONS
        .into_iter()
        .filter(move |step| step.from == from && standing.is(step.who))
}

/// Whether somebody may move a request from here to there by this act.
pub fn permits(from: RequestStatus, to: RequestStatus, by: Means, standing: Standing) -> bool {
    allowed(from, standing).any(|step| step.to == to && step.by == by)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const NOBODY: Standing = Standing {
        role: Role::Requester,
        is_creator: false,
        is_assignee: false,
    };

    #[test]
    fn no_step_is_written_twice_and_none_leads_nowhere() {
        let steps: HashSet<_> = TRANSITIONS.map(|step| (step.from, step.to)).into();
        assert_eq!(steps.len(), TRANSITIONS.len());
        assert!(TRANSITIONS.iter().all(|step| step.from != step.to));
    }

    #[test]
    fn every_status_is_reached_and_only_two_are_ends() {
        for status in RequestStatus::ALL {
            let reached = TRANSITIONS.iter().any(|step| step.to == *status);
            assert!(reached || *status == Submitted, "{status}");
            let ends = !TRANSITIONS.iter().any(|step| step.from == *status);
            assert_eq!(ends, [Accepted, Denied].contains(status), "{status}");
        }
    }

    #[test]
    fn an_admin_may_make_every_step_and_no_other() {
        let admin = Standing {
            role: Role::Admin,
            ..NOBODY
        };
        for from in RequestStatus::ALL {
            let steps: Vec<_> = allowed(*from, admin).collect();
            let table = TRANSITIONS.iter().filter(|step| step.from == *from);
            assert_eq!(steps, table.copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn who_is_nothing_to_a_request_may_make_no_step() {
        for role in [Role::Requester, Role::Developer] {
            let stranger = Standing { role, ..NOBODY };
            assert!(
                RequestStatus::ALL
                    .iter()
                    .all(|from| allowed(*from, stranger).next().is_none())
            );
        }
    }

    #[test]
    fn engineering_review_is_reached_by_assignment_alone() {
        let (from, to) = (ResourceAllocation, EngineeringReview);
        for role in [Role::Lead, Role::Admin] {
            let standing = Standing { role, ..NOBODY };
            assert!(permits(from, to, Means::Assignment, standing));
            assert!(!permits(from, to, Means::Status, standing));
        }
    }

    #[test]
    fn a_lead_who_made_a_request_may_also_accept_it() {
        let lead = Standing {
            role: Role::Lead,
            is_creator: true,
            is_assignee: false,
        };
        assert!(permits(Completed, Accepted, Means::Status, lead));
        let other = Standing {
            is_creator: false,
            ..lead
        };
        assert!(!permits(Completed, Accepted, Means::Status, other));
    }
}
