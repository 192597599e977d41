//! Example requests: one in each of the states that somebody has to look at, and one that was denied.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use domain::{
    auth::{Via, Viewer},
    requests::{
        CommentText, EstimatedHours, Means, Party, RequestId,
        RequestStatus::{
            self, Completed, Denied, EngineeringReview, FeasibilityReview, InProgress,
            ResourceAllocation,
        },
        TRANSITIONS, Transition,
    },
    revision::Expected,
    users::{Role, UserId},
};

use super::{EXAMPLE_COMPANY, fixed};
use crate::{
    Connection,
    requests::{Assignment, ChangeError, NewRequest, advance, assign, comment, create_as},
    schema::requests,
};

/// The number of the example developer.
const DORA: u128 = 19;

/// The hours that she is given.
const HOURS: i64 = 8;

/// An example: its texts, its way, and what is said at the end of it.
struct Example {
    title: &'static str,
    description: &'static str,
    vendor: &'static str,
    priority: &'static str,
    way: &'static [RequestStatus],
    says: Option<&'static str>,
}

/// Adds the example requests that are missing, and names them.
pub async fn examples(connection: &mut Connection) -> QueryResult<Vec<String>> {
    let mut added = Vec::new();
    for (number, example) in (64..).zip(&EXAMPLES) {
        let id = RequestId(fixed(number));
        let there: i64 = requests::table
            .find(id)
            .count()
            .get_result(connection)
            .await?;
        if there == 0 {
            let done = add(connection, id, example).await;
            done.map_err(|cause| match cause {
                ChangeError::Database(cause) => cause,
                cause => diesel::result::Error::SerializationError(Box::new(cause)),
            })?;
            added.push(format!("request {}", example.title));
        }
    }
    Ok(added)
}

async fn add(conn: &mut Connection, id: RequestId, example: &Example) -> Result<(), ChangeError> {
    let new = NewRequest {
        title: read(example.title)?,
        description: read(example.description)?,
        vendor: read(example.vendor)?,
        priority: read(example.priority)?,
    };
    let made = create_as(conn, &person(Party::Creator), id, &new).await?;
    let mut at = made.request.status;
    let mut last = Party::Creator;
    for to in example.way {
        let step = TRANSITIONS
            .iter()
            .find(|step| step.from == at && step.to == *to);
        if let Some(step) = step {
            take(conn, id, step).await?;
            (at, last) = (step.to, step.who);
        }
    }
    if let Some(text) = example.says {
        let content: CommentText = read(text)?;
        comment(conn, &person(last), id, &content, &Expected::Any).await?;
    }
    Ok(())
}

async fn take(conn: &mut Connection, id: RequestId, step: &Transition) -> Result<(), ChangeError> {
    let (who, any) = (person(step.who), Expected::Any);
    match step.by {
        Means::Status => advance(conn, &who, id, (step.to, None), &any).await?,
        Means::Assignment => {
            let hours = EstimatedHours::try_from(HOURS).map_err(wrong)?;
            let engineer = UserId(fixed(DORA));
            let to = Assignment { engineer, hours };
            assign(conn, &who, id, (to, None), &any).await?
        }
    };
    Ok(())
}

/// The example person who takes such steps.
fn person(party: Party) -> Viewer {
    let (number, role) = match party {
        Party::Lead => (18, Role::Lead),
        Party::Assignee => (DORA, Role::Developer),
        Party::Creator => (20, Role::Requester),
    };
    Viewer {
        user_id: UserId(fixed(number)),
        company_id: EXAMPLE_COMPANY,
        role,
        via: Via::SingleUser,
    }
}

fn read<T: std::str::FromStr<Err = domain::Fault>>(text: &str) -> Result<T, ChangeError> {
    text.parse().map_err(wrong)
}

fn wrong(fault: domain::Fault) -> ChangeError {
    ChangeError::Database(diesel::result::Error::SerializationError(Box::new(fault)))
}

const EXAMPLES: [Example; 5] = [
    Example {
        title: "Explain alarm codes to night shifts",
        description: "When a cell stops at night, nobody wants to read the manual. A prompt that takes \
            the alarm code and the last ten lines of the log, and says in three sentences what to look at.",
        vendor: "FANUC",
        priority: "High",
        way: &[],
        says: None,
    },
    Example {
        title: "Summaries of commissioning reports",
        description: "Each commissioning ends in a report of forty pages. We need half a page for the \
            customer: what was agreed, what was measured, what is open.",
        vendor: "KUKA",
        priority: "Medium",
        way: &[FeasibilityReview, ResourceAllocation, EngineeringReview],
        says: Some("Dora, the reports of last year are in the documents."),
    },
    Example {
        title: "Answers to questions about spare parts",
        description: "Customers ask by mail whether a part fits their machine. Draft the answer from the \
            catalogue, and say so when the catalogue does not tell.",
        vendor: "Siemens",
        priority: "Medium",
        way: &[
            FeasibilityReview,
            ResourceAllocation,
            EngineeringReview,
            InProgress,
        ],
        says: None,
    },
    Example {
        title: "Translate operating panels into Polish",
        description: "Forty texts of at most twenty characters each, which have to fit the buttons of the \
            panel. A table of the English texts is attached to the ticket.",
        vendor: "ABB",
        priority: "Low",
        way: &[
            FeasibilityReview,
            ResourceAllocation,
            EngineeringReview,
            InProgress,
            Completed,
        ],
        says: Some("All forty fit. Three are abbreviated; please look at them."),
    },
    Example {
        title: "Read serial numbers from photographs",
        description: "Service sends photographs of type plates, often blurred. We would like the serial \
            number of each without anybody typing it.",
        vendor: "Yaskawa",
        priority: "Low",
        way: &[FeasibilityReview, Denied],
        says: Some("Half of the plates cannot be read by people either. Let us put codes on them."),
    },
];
