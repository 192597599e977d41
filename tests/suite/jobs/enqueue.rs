//! A job exists exactly when its cause does, and once.

use diesel_async::AsyncConnection as _;
use domain::jobs::JobState;
use tests::support::{App, database::Database};

use super::support::{chore, rows, upload};

#[tokio::test]
async fn a_job_of_a_transaction_that_is_rolled_back_never_was() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let ended = conn.transaction(async |conn| {
        db::jobs::enqueue(conn, &[chore("a")]).await?;
        Err::<(), _>(diesel::result::Error::RollbackTransaction)
    });
    assert!(ended.await.is_err());
    assert!(rows(&mut conn).await.is_empty());
}

#[tokio::test]
async fn of_jobs_with_one_name_there_is_one_until_it_is_settled() {
    let database = Database::create().await;
    let mut conn = database.connect().await;
    let same = || chore("a").once("only");
    let first = db::jobs::enqueue(&mut conn, &[same(), same(), chore("b")]).await;
    assert_eq!(first.expect("rows"), 2);
    assert_eq!(
        db::jobs::enqueue(&mut conn, &[same()]).await.expect("rows"),
        0
    );
    database.run("UPDATE jobs SET state = 'running'").await;
    assert_eq!(
        db::jobs::enqueue(&mut conn, &[same()]).await.expect("rows"),
        0
    );
    database.run("UPDATE jobs SET state = 'dead'").await;
    assert_eq!(
        db::jobs::enqueue(&mut conn, &[same()]).await.expect("rows"),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_and_what_follows_from_it_carry_the_id_of_the_request() {
    let app = App::start().await;
    let ada = app
        .register()
        .await
        .with("x-request-id", "from-the-outside-1");
    upload(&ada, "a.txt", "Water is wet.").await;
    app.drain().await;
    let rows = rows(&mut app.database().connect().await).await;
    let kinds: Vec<_> = rows.iter().map(|row| row.kind.as_str()).collect();
    assert_eq!(kinds, ["documents.extract", "documents.embed"]);
    for row in rows {
        assert_eq!(row.request_id.as_deref(), Some("from-the-outside-1"));
        assert_eq!(row.state, JobState::Done);
    }
}
