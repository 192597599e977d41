//! Events of runs and executions for whoever follows them. One reader for each of these and process asks
//! Postgres, however many listen; it keeps the newest events for all of them. Who lags behind these asks for older
//! ones, page by page, so that a listener holds no more than what is being sent.

mod listener;
mod pages;
mod subject;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};

use actix_web::web::{Bytes, BytesMut};
use db::runs::events::Reach;
use domain::users::UserId;
use pages::Pages;
use tokio::sync::{Notify, Semaphore, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use listener::follow;
pub use subject::Subject;
use subject::Written;

/// How many events are read at once.
const PAGE: i64 = 1000;

/// How many of the newest events a reader keeps.
const KEPT: u16 = 4096;

/// About the most bytes that a listener is sent at once.
const PIECE: usize = 64 * 1024;

/// How often a reader asks of its own accord: word from other processes may be lost.
const LOOK: Duration = Duration::from_secs(1);

/// How long it rests between two questions.
const REST: Duration = Duration::from_millis(25);

/// How long what there is to hear of a run that is over is kept for stragglers.
const LINGER: Duration = Duration::from_secs(10);

/// How many pages are read at once for those who lag behind: they are not to take all connections.
const CATCHING_UP: usize = 4;

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Everything that somebody follows here.
pub struct Feeds {
    open: Mutex<HashMap<Uuid, Weak<Feed>>>,
    listeners: Mutex<HashMap<UserId, u32>>,
    pages: Arc<Pages>,
    /// Places to read a page.
    pub catching_up: Semaphore,
    /// Ends all listening: the server stops.
    pub stop: CancellationToken,
}

impl Default for Feeds {
    fn default() -> Self {
        Self {
            open: Mutex::default(),
            listeners: Mutex::default(),
            pages: Arc::default(),
            catching_up: Semaphore::new(CATCHING_UP),
            stop: CancellationToken::new(),
        }
    }
}

/// A listener's place, free again when dropped.
pub struct Place {
    feeds: Arc<Feeds>,
    user: UserId,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut listeners = locked(&self.feeds.listeners);
        if let Some(count) = listeners.get_mut(&self.user) {
            *count -= 1;
            if *count == 0 {
                listeners.remove(&self.user);
            }
        }
    }
}

impl Feeds {
    /// A place for one more listener of this user; `None` beyond `most`.
    pub fn place(self: &Arc<Self>, user: UserId, most: u32) -> Option<Place> {
        let mut listeners = locked(&self.listeners);
        let count = listeners.entry(user).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place {
            feeds: self.clone(),
            user,
        })
    }

    /// The feed of what has come this far, shared by all who follow it.
    pub fn of(&self, subject: Subject, reach: Reach, pool: &db::Pool) -> Arc<Feed> {
        let mut open = locked(&self.open);
        let known = open.get(&subject.id()).and_then(Weak::upgrade);
        if let Some(feed) = known.filter(|feed| feed.leads_to(reach)) {
            return feed;
        }
        open.retain(|_, feed| feed.strong_count() > 0);
        let feed = Arc::new(Feed {
            subject,
            bell: Arc::default(),
            tail: Mutex::default(),
            moved: watch::Sender::new(()),
            pages: self.pages.clone(),
        });
        open.insert(subject.id(), Arc::downgrade(&feed));
        tokio::spawn(read(Arc::downgrade(&feed), feed.bell.clone(), pool.clone()));
        feed
    }

    /// Has the reader of what has this id look at once, if somebody follows it here.
    pub fn ring(&self, id: Uuid) {
        if let Some(feed) = locked(&self.open).get(&id).and_then(Weak::upgrade) {
            feed.bell.notify_one();
        }
    }
}

/// The newest events of what is followed.
pub struct Feed {
    subject: Subject,
    bell: Arc<Notify>,
    tail: Mutex<Tail>,
    /// Those that are older.
    pub pages: Arc<Pages>,
    /// Told whenever there is more to see.
    pub moved: watch::Sender<()>,
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.pages.forget(self.subject);
    }
}

#[derive(Default)]
struct Tail {
    /// Without gaps, up to `newest`.
    events: VecDeque<(i64, Bytes)>,
    /// None before the first look; that begins as far back as is kept.
    newest: Option<i64>,
    is_over: bool,
}

/// What a listener does next.
pub enum Step {
    /// Sends this, and then stands at that event.
    Send(Bytes, i64),
    /// Asks for a page.
    CatchUp,
    /// Waits for more.
    Wait,
    /// Has seen everything there will be.
    End,
}

impl Feed {
    /// Whether it is not over, or was not taken up again since.
    fn leads_to(&self, reach: Reach) -> bool {
        let tail = locked(&self.tail);
        !tail.is_over || reach.is_over && tail.newest == Some(reach.last_event)
    }

    /// What a listener does next who has seen everything up to this event.
    pub fn step(&self, seen: i64) -> Step {
        let tail = locked(&self.tail);
        let Some(newest) = tail.newest else {
            return Step::Wait;
        };
        if seen >= newest {
            return if tail.is_over { Step::End } else { Step::Wait };
        }
        let ahead = tail.events.front().map(|(first, _)| seen + 1 - first);
        let Some(start) = ahead.and_then(|ahead| usize::try_from(ahead).ok()) else {
            return Step::CatchUp;
        };
        let events = tail.events.range(start..);
        piece(
            events.map(|(number, bytes)| (*number, bytes.as_ref())),
            seen,
        )
    }

    /// Looks for more; whether there is nothing more to come.
    async fn look(&self, pool: &db::Pool) -> anyhow::Result<Look> {
        let mut conn = pool.get().await?;
        // Asked before the events are: what it says of the end then holds for them too.
        let Some(reach) = self.subject.reach(&mut conn).await? else {
            self.advance(Vec::new(), |tail| tail.is_over = true);
            return Ok(Look::Over);
        };
        let known = locked(&self.tail).newest;
        // After a restart everybody comes back lacking a little, which is read once for all of them.
        let known =
            known.unwrap_or_else(|| (reach.last_event - i64::from(KEPT)).max(reach.forgotten));
        if known == reach.last_event && !reach.is_over {
            return Ok(Look::Done);
        }
        let found = self.subject.after(&mut conn, known, PAGE).await?;
        drop(conn);
        let newest = found.last().map_or(known, |(number, _)| *number);
        let is_over = reach.is_over && newest == reach.last_event;
        let is_full = newest < reach.last_event;
        self.advance(found, |tail| {
            tail.newest = Some(newest);
            tail.is_over = is_over;
        });
        Ok(match (is_over, is_full) {
            (true, _) => Look::Over,
            (false, true) => Look::More,
            (false, false) => Look::Done,
        })
    }

    fn advance(&self, found: Vec<Written>, change: impl FnOnce(&mut Tail)) {
        let mut tail = locked(&self.tail);
        tail.events.extend(found);
        let surplus = tail.events.len().saturating_sub(usize::from(KEPT));
        tail.events.drain(..surplus);
        change(&mut tail);
        drop(tail);
        self.moved.send_replace(());
    }
}

/// What a look came to.
enum Look {
    /// There is more already.
    More,
    /// Nothing more for now.
    Done,
    /// Nothing more to come.
    Over,
}

/// Keeps a feed up to date for as long as somebody has it.
async fn read(feed: Weak<Feed>, bell: Arc<Notify>, pool: db::Pool) {
    loop {
        let Some(feed) = feed.upgrade() else {
            return;
        };
        match feed.look(&pool).await {
            Ok(Look::Over) => {
                drop(pool);
                tokio::time::sleep(LINGER).await;
                return;
            }
            Ok(Look::More) => continue,
            Ok(Look::Done) => {}
            Err(cause) => tracing::warn!(error = format!("{cause:#}"), "events cannot be read"),
        }
        drop(feed);
        tokio::time::sleep(REST).await;
        drop(tokio::time::timeout(LOOK, bell.notified()).await);
    }
}

/// As much as is sent at once.
fn piece<'a>(events: impl Iterator<Item = (i64, &'a [u8])>, seen: i64) -> Step {
    let (mut bytes, mut last) = (BytesMut::new(), seen);
    for (number, written) in events {
        bytes.extend_from_slice(written);
        last = number;
        if bytes.len() >= PIECE {
            break;
        }
    }
    Step::Send(bytes.freeze(), last)
}
