//! Which jobs are handed out, in which order, and how many.

use diesel_async::AsyncConnection as _;
use domain::{
    jobs::{Dispatch, JobId, JobKind},
    users::CompanyId,
};
use futures::future::join_all;
use tests::support::database::Database;
use uuid::Uuid;

use super::support::{chore, company, dispatched, dispatched_each, dump, owned, rows};

async fn enqueue(database: &Database, company: CompanyId, owner: Uuid, count: usize) {
    let jobs: Vec<_> = (0..count).map(|_| owned(company, owner)).collect();
    for batch in jobs.chunks(500) {
        let mut conn = database.connect().await;
        db::jobs::enqueue(&mut conn, batch).await.expect("rows");
    }
}

/// Whose the jobs are.
async fn owners(database: &Database, picked: &[Dispatch]) -> Vec<Uuid> {
    use db::schema::jobs::dsl::{fair_key, id, jobs};
    use diesel::{ExpressionMethods as _, QueryDsl as _};
    use diesel_async::RunQueryDsl as _;
    let ids: Vec<JobId> = picked.iter().map(|job| job.id).collect();
    let query = jobs.filter(id.eq_any(ids)).select(fair_key);
    query
        .load(&mut database.connect().await)
        .await
        .expect("owners")
}

async fn finish(database: &Database, picked: &[Dispatch]) {
    let ids: Vec<String> = picked.iter().map(|job| format!("'{}'", job.id)).collect();
    let ids = ids.join(",");
    database
        .run(&format!(
            "UPDATE jobs SET state = 'done' WHERE id IN ({ids})"
        ))
        .await;
}

#[tokio::test]
async fn a_small_owner_does_not_wait_for_a_large_one() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let (company, large, small) = (company(&database).await, Uuid::now_v7(), Uuid::now_v7());
    enqueue(&database, company, large, 1_000).await;
    let first = dispatched(&mut conn, 32).await;
    assert_eq!(owners(&database, &first).await, [large; 32]);

    // The small one comes when the window is full of the large one's jobs.
    enqueue(&database, company, small, 10).await;
    assert!(dispatched(&mut conn, 32).await.is_empty());

    // Places become free one by one, and all of them go to the small one.
    for place in first.chunks(1).take(10) {
        finish(&database, place).await;
        let picked = dispatched(&mut conn, 32).await;
        assert_eq!(owners(&database, &picked).await, [small]);
    }
    finish(&database, &first[10..11]).await;
    let picked = dispatched(&mut conn, 32).await;
    assert_eq!(owners(&database, &picked).await, [large]);
}

#[tokio::test]
async fn an_owner_has_no_more_handed_out_and_under_way_than_its_share() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let (company, one, other) = (company(&database).await, Uuid::now_v7(), Uuid::now_v7());
    enqueue(&database, company, one, 10).await;
    enqueue(&database, company, other, 1).await;
    let first = dispatched_each(&mut conn, 32, 3).await;
    let mine = |owners: &[Uuid]| owners.iter().filter(|owner| **owner == one).count();
    assert_eq!(
        (mine(&owners(&database, &first).await), first.len()),
        (3, 4)
    );
    // What is under way counts as well; only what has ended makes room.
    let claimed = db::jobs::claim(
        &mut conn,
        first[0].id,
        "w",
        std::time::Duration::from_secs(60),
    );
    assert!(claimed.await.expect("a row").is_some());
    assert!(dispatched_each(&mut conn, 32, 3).await.is_empty());
    let ours: Vec<Dispatch> = first
        .iter()
        .filter(|job| job.id != first[0].id)
        .copied()
        .collect();
    finish(&database, &ours).await;
    let next = dispatched_each(&mut conn, 32, 3).await;
    assert!((2..=3).contains(&next.len()), "{}", next.len());
}

#[tokio::test]
async fn what_runs_counts_as_a_turn_as_well() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let (company, busy, idle) = (company(&database).await, Uuid::now_v7(), Uuid::now_v7());
    enqueue(&database, company, busy, 6).await;
    dispatched(&mut conn, 3).await;
    database
        .run("UPDATE jobs SET state = 'running' WHERE dispatched_at IS NOT NULL")
        .await;
    enqueue(&database, company, idle, 6).await;
    let picked = dispatched(&mut conn, 3).await;
    assert_eq!(owners(&database, &picked).await, [idle; 3]);
}

#[tokio::test]
async fn many_owners_get_a_place_each_and_the_oldest_jobs_go_first() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let company = company(&database).await;
    let everybody: Vec<Uuid> = (0..20).map(|_| Uuid::new_v4()).collect();
    for owner in &everybody {
        enqueue(&database, company, *owner, 5).await;
    }
    let mut first = owners(&database, &dispatched(&mut conn, 12).await).await;
    first.sort_unstable();
    let mut oldest = everybody[..12].to_vec();
    oldest.sort_unstable();
    assert_eq!(first, oldest);
}

#[tokio::test]
async fn a_window_is_filled_and_never_exceeded() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let company = company(&database).await;
    enqueue(&database, company, Uuid::now_v7(), 100).await;
    let picked = dispatched(&mut conn, 8).await;
    assert_eq!(picked.len(), 8);
    assert!(dispatched(&mut conn, 8).await.is_empty());
    finish(&database, &picked[..3]).await;
    assert_eq!(dispatched(&mut conn, 8).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn dispatchers_side_by_side_never_hand_out_a_job_twice() {
    let database = Database::create().await;
    let company = company(&database).await;
    enqueue(&database, company, Uuid::now_v7(), 500).await;
    let dispatchers = (0..8).map(|_| async {
        let mut conn = database.connect().await;
        let mut mine = Vec::new();
        for _ in 0..20 {
            mine.extend(dispatched(&mut conn, 500).await);
        }
        mine
    });
    let picked = join_all(dispatchers).await.concat();
    assert_eq!(picked.len(), 500);
    assert!(picked.iter().all(|job| job.epoch == 1));
}

#[tokio::test]
async fn a_paused_kind_is_left_and_another_is_not() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let company = company(&database).await;
    let jobs = [owned(company, Uuid::now_v7()), chore("a")];
    db::jobs::enqueue(&mut conn, &jobs).await.expect("rows");
    let paused = JobKind::DocumentsEmbed;
    db::jobs::pause(&mut conn, paused, None)
        .await
        .expect("paused");
    db::jobs::pause(&mut conn, paused, None)
        .await
        .expect("still paused");
    let kinds = |picked: Vec<Dispatch>| picked.iter().map(|job| job.kind).collect::<Vec<_>>();
    assert_eq!(
        kinds(dispatched(&mut conn, 8).await),
        [JobKind::DocumentsDiscardFile]
    );
    db::jobs::resume(&mut conn, paused).await.expect("resumed");
    assert_eq!(kinds(dispatched(&mut conn, 8).await), [paused]);
}

#[tokio::test]
async fn a_message_that_is_taken_back_goes_out_in_a_new_epoch_unless_it_did_already() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    db::jobs::enqueue(&mut conn, &[chore("a")])
        .await
        .expect("a row");
    let first = dispatched(&mut conn, 8).await;
    let taken = db::jobs::take_back(&mut conn, &first).await;
    assert_eq!(taken.expect("an answer"), 1);
    let second = dispatched(&mut conn, 8).await;
    assert_eq!((first[0].id, second[0].epoch), (second[0].id, 2));
    // Somebody who has only now noticed that the first message is lost.
    let late = db::jobs::take_back(&mut conn, &first).await;
    assert_eq!(late.expect("an answer"), 0);
    assert!(rows(&mut conn).await[0].dispatched_at.is_some());
}

#[tokio::test]
async fn a_hundred_thousand_jobs_that_wait_are_never_all_looked_at() {
    let database = Database::create().await;
    let company = company(&database).await;
    let mut conn = database.connect().await;
    // A plan made while the table was empty is kept with the prepared statement.
    for _ in 0..10 {
        assert!(dispatched(&mut conn, 64).await.is_empty());
    }
    // Without statistics, as after one large insert, and a second kind of jobs that are not due.
    database
        .run(&format!(
            "ALTER TABLE jobs SET (autovacuum_enabled = off);
             INSERT INTO jobs (id, kind, company_id, fair_key, args, max_attempts, run_at)
             SELECT gen_random_uuid(), kind, '{company}', md5((n % 50)::text)::uuid, '{{}}', 8,
                    clock_timestamp() + wait * interval '1 hour'
             FROM generate_series(1, 50000) n,
                  (VALUES ('documents.embed', -1), ('documents.extract', 1)) kinds (kind, wait)"
        ))
        .await;
    let (picked, read) = conn
        .transaction(async |conn| {
            let picked = dispatched(conn, 64).await;
            let read = "(SELECT seq_tup_read + coalesce(idx_tup_fetch, 0)
                         FROM pg_stat_xact_user_tables WHERE relname = 'jobs')";
            Ok::<_, diesel::result::Error>((picked, dump(conn, read).await))
        })
        .await
        .expect("a transaction");
    assert_eq!(picked.len(), 64);
    let mut mine = owners(&database, &picked).await;
    mine.sort_unstable();
    mine.dedup();
    assert_eq!(mine.len(), 50, "everybody has a turn");
    let read: u64 = read.trim_matches(['(', ')']).parse().expect("a number");
    assert!(read < 2_000, "{read} rows were looked at");
}
