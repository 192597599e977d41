//! Copies of rows never outlive a change they did not see.

use std::{convert::Infallible, time::Duration};

use queue::cache::Look;
use tests::support::App;

const LIFE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_is_kept_until_it_is_forgotten() {
    let app = App::start().await;
    let cache = &app.inner.cache;
    let load = async |value: u32| {
        let loaded = async move { Ok::<_, Infallible>(Some(value)) };
        cache
            .get_or_load("thing:1", LIFE, loaded)
            .await
            .expect("loaded")
    };
    assert_eq!(load(1).await, Some(1));
    assert_eq!(load(2).await, Some(1));
    cache.forget("thing:1").await;
    assert_eq!(load(3).await, Some(3));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_loaded_before_a_change_is_not_stored_after_it() {
    let app = App::start().await;
    let cache = &app.inner.cache;
    for _ in 0..2 {
        let Look::Miss(ticket) = cache.look::<u32>("thing:2").await else {
            panic!("a copy")
        };
        // The slow reader loads the old row; the row changes; the reader stores what it has.
        cache.forget("thing:2").await;
        cache.fill(ticket, &1, LIFE).await;
        assert!(matches!(cache.look::<u32>("thing:2").await, Look::Miss(_)));
    }
    let Look::Miss(ticket) = cache.look::<u32>("thing:2").await else {
        panic!("a copy")
    };
    cache.fill(ticket, &2, LIFE).await;
    assert!(matches!(cache.look::<u32>("thing:2").await, Look::Hit(2)));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_of_what_is_not_there_or_cannot_be_read() {
    let app = App::start().await;
    let cache = &app.inner.cache;
    let nothing = async { Ok::<_, Infallible>(None::<u32>) };
    assert_eq!(cache.get_or_load("thing:3", LIFE, nothing).await, Ok(None));
    let something = async { Ok::<_, Infallible>(Some("text".to_owned())) };
    let found = cache.get_or_load("thing:3", LIFE, something).await;
    assert_eq!(found.expect("loaded").as_deref(), Some("text"));
    assert!(matches!(cache.look::<u32>("thing:3").await, Look::Miss(_)));
}
