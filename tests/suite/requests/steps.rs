//! Every step and everybody who might take it, as the table says: from each status, to each, by each
//! act.

use domain::requests::{Means, Party, RequestStatus, TRANSITIONS};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::support::Client;

use super::{Desk, activity, assign, set};

/// Somebody, and what they are to the request.
struct Person<'a> {
    client: &'a Client,
    name: &'static str,
    is: &'static [Party],
    sees: fn(RequestStatus) -> bool,
}

/// Whether it was assigned on the shortest way there.
fn is_assigned(status: RequestStatus) -> bool {
    super::way_to(status)
        .iter()
        .any(|step| step.by == Means::Assignment)
}

fn everybody(desk: &Desk) -> [Person<'_>; 6] {
    let person = |client, name, is, sees| Person {
        client,
        name,
        is,
        sees,
    };
    let all = |_| true;
    let reviewed = |status| status == RequestStatus::EngineeringReview;
    [
        person(
            &desk.admin,
            "an admin",
            &[Party::Lead, Party::Assignee, Party::Creator],
            all,
        ),
        person(&desk.lead, "a lead", &[Party::Lead], all),
        person(
            &desk.developer,
            "the assigned developer",
            &[Party::Assignee],
            is_assigned,
        ),
        person(&desk.idle, "another developer", &[], reviewed),
        person(&desk.requester, "its creator", &[Party::Creator], all),
        person(&desk.other, "another requester", &[], |_| false),
    ]
}

/// Where the table lets somebody go from here, with the act.
fn table(from: RequestStatus, person: &Person<'_>) -> Vec<(RequestStatus, Means)> {
    // Nobody is the assigned developer before there is one.
    let steps = TRANSITIONS.iter().filter(|step| {
        step.from == from
            && person.is.contains(&step.who)
            && (step.who != Party::Assignee || is_assigned(from))
    });
    steps.map(|step| (step.to, step.by)).collect()
}

async fn try_everything(desk: &Desk, from: RequestStatus) {
    let mut path = desk.request_at(from).await;
    let mut happened = activity(&desk.admin, &path).await.len();
    for person in everybody(desk) {
        let allowed = table(from, &person);
        let names: Vec<_> = allowed.iter().map(|(to, _)| json!(to)).collect();
        let seen = person.client.get(&path).await;
        if (person.sees)(from) {
            let detail = seen.expect(200).json();
            assert_eq!(detail["allowedTransitions"], Value::from(names.clone()));
        } else {
            seen.expect_problem(404, "not_found");
        }
        let by_status = RequestStatus::ALL.iter().map(|to| (*to, Means::Status));
        let review = RequestStatus::EngineeringReview;
        for (to, by) in by_status.chain([(review, Means::Assignment)]) {
            let reply = match by {
                Means::Status => set(person.client, &path, to).await,
                Means::Assignment => assign(person.client, &path, &desk.developer).await,
            };
            let case = format!(
                "{from} to {to} by {by:?} as {}: {}",
                person.name,
                reply.text()
            );
            if !(person.sees)(from) {
                assert_eq!(reply.status, 404, "{case}");
            } else if allowed.contains(&(to, by)) {
                assert_eq!(reply.status, 200, "{case}");
                assert_eq!(reply.json()["request"]["status"], json!(to), "{case}");
                path = desk.request_at(from).await;
                happened = activity(&desk.admin, &path).await.len();
            } else {
                assert_eq!(reply.status, 409, "{case}");
                let problem = reply.expect_problem(409, "transition_not_allowed");
                assert_eq!(problem["allowedTransitions"], Value::from(names.clone()));
                let detail = problem["detail"].as_str().expect("a sentence");
                assert!(allowed.iter().all(|(to, _)| detail.contains(to.as_str())));
            }
        }
    }
    assert_eq!(activity(&desk.admin, &path).await.len(), happened, "{from}");
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_may_take_the_steps_of_the_table_and_no_others() {
    let desk = Desk::open().await;
    join_all(
        RequestStatus::ALL
            .iter()
            .map(|from| try_everything(&desk, *from)),
    )
    .await;
}
