//! Keys sealed anew under another master key, and sealed ones that do not open.

use tests::support::{App, app::SEALING_KEY};

use super::{KEY, another, list, opened, re_seal, rows, store};

#[tokio::test(flavor = "multi_thread")]
async fn sealing_anew_moves_every_key_to_the_new_one_and_can_be_repeated() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    for label in ["a", "b", "c"] {
        store(&ours, label).await;
        store(&theirs, label).await;
    }
    let keys = [another("next"), SEALING_KEY.to_owned()];
    // Before the rotation is through, a server with both keys opens all.
    assert!(
        rows(&app)
            .await
            .iter()
            .all(|row| opened(&keys, row).as_deref() == Some(KEY))
    );
    let (first, second) = tokio::join!(
        re_seal::run(re_seal(&app, &keys)),
        re_seal::run(re_seal(&app, &keys))
    );
    assert_eq!(
        first.expect("sealed anew") + second.expect("sealed anew"),
        6
    );
    for row in rows(&app).await {
        assert_eq!(row.sealing_key_id, "next");
        assert_eq!(opened(&keys[..1], &row).as_deref(), Some(KEY));
    }
    assert_eq!(
        re_seal::run(re_seal(&app, &keys))
            .await
            .expect("nothing to do"),
        0
    );
    assert_eq!(list(&ours).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_open_is_named_and_the_rest_sealed_anew() {
    let app = App::start().await;
    let admin = app.register().await;
    let (lost, good) = (store(&admin, "lost").await, store(&admin, "good").await);
    app.database()
        .run("UPDATE provider_keys SET sealing_key_id = 'gone' WHERE label = 'lost'")
        .await;
    let keys = [another("next"), SEALING_KEY.to_owned()];
    let refused = re_seal::run(re_seal(&app, &keys))
        .await
        .expect_err("one is lost");
    let refused = refused.to_string();
    assert!(
        refused.contains(lost["id"].as_str().expect("an id")),
        "{refused}"
    );
    assert!(
        !refused.contains(good["id"].as_str().expect("an id")),
        "{refused}"
    );
    let rows = rows(&app).await;
    assert_eq!(
        rows.iter()
            .filter(|row| row.sealing_key_id == "next")
            .count(),
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_moved_to_another_company_does_not_open() {
    let app = App::start().await;
    let (ours, theirs) = (app.register().await, app.register().await);
    store(&ours, "a").await;
    store(&theirs, "b").await;
    app.database()
        .run("UPDATE provider_keys SET sealed = (SELECT sealed FROM provider_keys WHERE label = 'a') WHERE label = 'b'")
        .await;
    let keys = [SEALING_KEY.to_owned()];
    let opened: Vec<_> = rows(&app)
        .await
        .iter()
        .map(|row| opened(&keys, row))
        .collect();
    assert_eq!(opened, [Some(KEY.to_owned()), None]);
}
