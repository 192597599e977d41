//! The models that come with the program.

use diesel::{QueryableByName, sql_types::BigInt};
use diesel_async::RunQueryDsl as _;
use serde_json::json;
use tests::support::App;

use super::{list, named, path};

async fn seed(app: &App) -> usize {
    let mut conn = app.inner.pool.get().await.expect("a connection");
    db::seeds::models::apply(&mut conn).await.expect("seeded")
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

#[tokio::test(flavor = "multi_thread")]
async fn seeding_again_changes_nothing_and_keeps_what_companies_chose() {
    let app = App::start().await;
    let admin = app.register().await;
    let model = named(&admin, "gpt-6-luna").await;
    let choice = json!({"isActive": false});
    admin.patch(&path(&model), &choice).await.expect(200);
    let chosen = named(&admin, "gpt-6.1-terra").await;
    admin
        .patch(&path(&chosen), &json!({"isDefault": true}))
        .await
        .expect(200);
    let before = list(&admin, "?all=true").await;
    assert_eq!(seed(&app).await, 0);
    assert_eq!(list(&admin, "?all=true").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_corrected_file_corrects_the_rows_and_nothing_else() {
    let app = App::start().await;
    let admin = app.register().await;
    let model = named(&admin, "gpt-6-luna").await;
    admin
        .patch(&path(&model), &json!({"isActive": false}))
        .await
        .expect(200);
    // As an older file had it: another price and another default.
    app.database()
        .run(
            "UPDATE models SET is_default = false, prices = '[]' WHERE kind = 'text';
              UPDATE models SET is_default = true WHERE model = 'gpt-6-luna'",
        )
        .await;
    assert!(seed(&app).await > 20);
    let after = admin.get(&path(&model)).await.expect(200).json();
    assert_eq!(after["prices"], model["prices"]);
    assert_eq!(after["id"], model["id"]);
    assert_eq!(after["isActive"], false);
    assert_eq!(
        named(&admin, "gemini-3.5-flash-lite").await["isDefault"],
        true
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_that_start_together_seed_once() {
    let app = App::start().await;
    app.database().run("DELETE FROM models").await;
    let counts = futures::future::join_all((0..4).map(|_| seed(&app))).await;
    let rows: Count = diesel::sql_query("SELECT count(*) FROM models")
        .get_result(&mut app.database().connect().await)
        .await
        .expect("a count");
    assert_eq!(
        counts.iter().sum::<usize>(),
        usize::try_from(rows.count).expect("few")
    );
}
