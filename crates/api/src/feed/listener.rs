//! Following something as server-sent events (WHATWG HTML, section 9.2): every event once and in order,
//! from the beginning or from after the one that `Last-Event-ID` names.

use std::{convert::Infallible, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_ENCODING},
    web::{self, Bytes},
};
use db::runs::events::Reach;
use domain::auth::Viewer;
use futures::stream;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};

use super::{Feed, Place, Step, Subject};
use crate::{
    App,
    context::{Context, Developer},
    error::{ApiError, ApiResult, Code},
};

/// The header by which a listener says what it has seen.
const LAST_EVENT_ID: &str = "last-event-id";

/// After this much silence a comment keeps the connection open, and who listens is checked again.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A connection ends after this long; its listener comes again, and its credentials are read anew.
const LIFE: Duration = Duration::from_secs(5 * 60);

/// Follows what has come this far; 204 to who has seen its end already.
pub fn follow(
    context: &Context<Developer>,
    request: &HttpRequest,
    subject: Subject,
    reach: Reach,
) -> ApiResult<HttpResponse> {
    let seen = seen(request, reach.last_event)?.max(reach.forgotten);
    if reach.is_over && seen == reach.last_event {
        return Ok(HttpResponse::NoContent().finish());
    }
    let app = context.shared();
    let most = app.config.runs.run_max_listeners;
    let place = app.feeds.place(context.who.user_id, most).ok_or_else(|| {
        let sentence =
            format!("You follow {most} of these at once already. Close some, then try again.");
        ApiError::new(Code::TooManyRequests, sentence)
    })?;
    let feed = app.feeds.of(subject, reach, &app.pool);
    let listener = Listener {
        moved: feed.moved.subscribe(),
        feed,
        subject,
        seen,
        viewer: context.who.clone(),
        ends: Instant::now() + LIFE,
        check: Instant::now() + HEARTBEAT,
        app,
        _place: place,
    };
    Ok(answer(listener))
}

/// The number of the last event that the caller has seen; 0 if it names none.
fn seen(request: &HttpRequest, last: i64) -> ApiResult<i64> {
    let Some(value) = request.headers().get(LAST_EVENT_ID) else {
        return Ok(0);
    };
    let number = value.to_str().ok().and_then(|text| text.parse().ok());
    number
        .filter(|number| (0..=last).contains(number))
        .ok_or_else(|| {
            ApiError::new(
                Code::InvalidHeader,
                "Last-Event-ID must be the id of an event of this stream. Without it you get all.",
            )
        })
}

fn answer(listener: Listener) -> HttpResponse {
    let hint = Bytes::from_static(b"retry: 1000\n\n");
    let events = stream::unfold(listener, async |mut listener| {
        let bytes = listener.next().await?;
        Some((Ok::<_, Infallible>(bytes), listener))
    });
    let hint = stream::once(std::future::ready(Ok(hint)));
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        // Compression, and some proxies, would hold events back until there are enough of them.
        .insert_header((CONTENT_ENCODING, "identity"))
        .insert_header(("x-accel-buffering", "no"))
        .streaming(futures::StreamExt::chain(hint, events))
}

/// Somebody who listens.
struct Listener {
    app: web::Data<App>,
    feed: Arc<Feed>,
    moved: watch::Receiver<()>,
    subject: Subject,
    viewer: Viewer,
    seen: i64,
    ends: Instant,
    /// When it is asked again whether the viewer may see it.
    check: Instant,
    _place: Place,
}

impl Listener {
    /// What is sent next; `None` ends the answer, and the listener comes again if it wants more.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            let now = Instant::now();
            if now >= self.ends || self.app.feeds.stop.is_cancelled() {
                return None;
            }
            if now >= self.check {
                self.check = now + HEARTBEAT;
                return self
                    .still_admitted()
                    .await
                    .then_some(Bytes::from_static(b":\n\n"));
            }
            self.moved.mark_unchanged();
            match self.feed.step(self.seen) {
                Step::Send(bytes, seen) => {
                    self.seen = seen;
                    return Some(bytes);
                }
                Step::CatchUp => return self.catch_up().await,
                Step::End => return None,
                Step::Wait => self.wait().await,
            }
        }
    }

    async fn wait(&mut self) {
        let feeds = self.app.feeds.clone();
        let patience = self.check.saturating_duration_since(Instant::now());
        tokio::select! {
            _ = timeout(patience, self.moved.changed()) => {}
            () = feeds.stop.cancelled() => {}
        }
    }

    async fn still_admitted(&self) -> bool {
        let Ok(mut conn) = self.app.pool.get().await else {
            return false;
        };
        let admitted = self.subject.is_open_to(&mut conn, &self.viewer).await;
        admitted.unwrap_or(false)
    }

    async fn catch_up(&mut self) -> Option<Bytes> {
        let (pages, turns) = (&self.feed.pages, &self.app.feeds.catching_up);
        let found = pages.after(self.subject, self.seen, &self.app.pool, turns);
        let (bytes, seen) = found.await.ok()??;
        self.seen = seen;
        Some(bytes)
    }
}
