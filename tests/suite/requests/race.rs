//! Many at once: one wins each step, and what happened is told in order.

use domain::requests::RequestStatus::{
    self, Accepted, Completed, Denied, EngineeringReview, FeasibilityReview, InProgress,
    ResourceAllocation, RevisionRequested,
};
use futures::future::join_all;
use serde_json::{Value, json};
use tests::support::{Client, Reply};

use super::{Desk, REQUESTS, activity, assign, body, made, set};

/// How many try at once.
const MANY: usize = 50;

/// Fails unless exactly one of them won and all others were refused; the winner's request.
fn one_winner(replies: &[Reply]) -> Value {
    let (won, lost): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!(won.len(), 1);
    assert_eq!(lost.len(), MANY - 1);
    for reply in lost {
        reply.expect_problem(409, "transition_not_allowed");
    }
    won[0].json()["request"].clone()
}

/// All of them set one of these statuses at once; the one that won.
async fn contend(client: &Client, path: &str, to: &[RequestStatus]) -> Value {
    let tries = (0..MANY).map(|number| set(client, path, to[number % to.len()]));
    one_winner(&join_all(tries).await)["status"].clone()
}

/// The status and what came before it, of each activity that changed it.
fn chain(activity: &[Value]) -> Vec<(Value, Value)> {
    let moves = activity
        .iter()
        .filter(|row| row["details"]["status"].is_string());
    moves
        .map(|row| {
            let details = &row["details"];
            (details["from"].clone(), details["status"].clone())
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_fifty_who_move_a_request_at_once_one_wins_each_step() {
    let desk = Desk::open().await;
    let path = made(&desk.requester, "Contended").await;
    let talk = async || {
        let (comments, comment) = (format!("{path}/comments"), json!({"content": "And?"}));
        for _ in 0..20 {
            desk.requester.post(&comments, &comment).await.expect(201);
        }
    };
    let race = async || {
        contend(&desk.lead, &path, &[FeasibilityReview]).await;
        contend(&desk.lead, &path, &[ResourceAllocation, FeasibilityReview]).await;
        let developers = [&desk.developer, &desk.idle];
        let tries = (0..MANY).map(|number| assign(&desk.lead, &path, developers[number % 2]));
        let assigned = one_winner(&join_all(tries).await);
        let developer = developers
            .into_iter()
            .find(|developer| assigned["assignedTo"] == developer.id());
        let developer = developer.expect("one of them");
        contend(developer, &path, &[InProgress]).await;
        contend(developer, &path, &[Completed, InProgress]).await;
        contend(&desk.requester, &path, &[Accepted, RevisionRequested]).await
    };
    let (last, ()) = tokio::join!(race(), talk());
    let happened = activity(&desk.admin, &path).await;
    let numbers: Vec<i64> = happened
        .iter()
        .filter_map(|row| row["number"].as_i64())
        .collect();
    assert_eq!(numbers, (1..=1 + 6 + 20).collect::<Vec<_>>());
    let chain = chain(&happened);
    assert_eq!(chain.len(), 6);
    assert!(
        chain.windows(2).all(|pair| pair[0].1 == pair[1].0),
        "{chain:?}"
    );
    assert_eq!(chain[2].1, json!(EngineeringReview));
    let detail = desk.admin.get(&path).await.json();
    assert_eq!(detail["request"]["status"], last);
    assert_eq!(detail["request"]["commentCount"], 20);
    assert_eq!(detail["comments"].as_array().map(Vec::len), Some(20));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ways_from_one_status_are_taken_by_one_of_fifty() {
    let desk = Desk::open().await;
    for _ in 0..5 {
        let path = desk.request_at(FeasibilityReview).await;
        let won = contend(&desk.lead, &path, &[ResourceAllocation, Denied]).await;
        assert_eq!(desk.lead.get(&path).await.json()["request"]["status"], won);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_of_requests_have_no_gaps_however_many_are_made_at_once() {
    let desk = Desk::open().await;
    let stranger = desk.app.register().await;
    let body = body("One of many");
    let ours = join_all((0..MANY).map(|_| desk.requester.post(REQUESTS, &body)));
    let theirs = join_all((0..10).map(|_| stranger.post(REQUESTS, &body)));
    let (ours, theirs) = tokio::join!(ours, theirs);
    for replies in [ours, theirs] {
        let number = |reply: &Reply| reply.expect(201).json()["request"]["number"].as_u64();
        let mut numbers: Vec<_> = replies.iter().filter_map(number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=replies.len() as u64).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_saw_the_same_revision_one_is_told_that_it_changed() {
    let desk = Desk::open().await;
    let path = made(&desk.requester, "Seen by two").await;
    let seen = desk.lead.get(&path).await;
    let tag = seen.header("etag").expect("a tag");
    let lead = desk.lead.with("if-match", tag);
    let comment = json!({"content": "Looking into it."});
    lead.post(&format!("{path}/comments"), &comment)
        .await
        .expect(201);
    let late = set(&lead, &path, FeasibilityReview).await;
    late.expect_problem(412, "stale");
    lead.post(&format!("{path}/comments"), &comment)
        .await
        .expect_problem(412, "stale");
    let body = json!({"engineerId": desk.developer.id(), "estimatedHours": 1});
    lead.patch(&format!("{path}/assign"), &body)
        .await
        .expect_problem(412, "stale");
    let unchanged = desk.lead.with("if-none-match", tag).get(&path).await;
    unchanged.expect(200);
    let tag = unchanged.header("etag").expect("a tag");
    let moved = set(&desk.lead.with("if-match", tag), &path, FeasibilityReview).await;
    moved.expect(200);
    let tag = moved.header("etag").expect("a tag");
    desk.lead
        .with("if-none-match", tag)
        .get(&path)
        .await
        .expect(304);
}
