//! Somebody who follows a run to its end, and what they heard.

use std::{
    hash::{DefaultHasher, Hasher as _},
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use anyhow::bail;
use chrono::{DateTime, Utc};
use rand::{RngExt, rngs::StdRng};
use reqwest::Response;

use super::{
    frames::{Event, Frames},
    lags::Lags,
};
use crate::chaos::caller::Caller;

/// What a browser waits before it comes again, as the server asks it to.
const RETRY: Duration = Duration::from_secs(1);

/// The longest that somebody fickle stays away.
const AWAY: f64 = 2.0;

/// Out of so many events one is asked for how long it was on its way.
const ASKED: i64 = 8;

/// Somebody who listens.
pub struct Listener {
    /// Which one.
    pub number: usize,
    /// Whether they break off at random.
    pub is_fickle: bool,
    /// The run they follow.
    pub run: String,
    /// Who they are.
    pub caller: Arc<Caller>,
    /// Where the servers listen at the moment.
    pub doors: Arc<RwLock<Vec<u16>>>,
    /// About how many bytes there are to be heard.
    pub bytes: f64,
    /// What chance decides by.
    pub dice: StdRng,
    /// How long events were on their way.
    pub lags: Arc<Lags>,
    /// What they heard.
    pub heard: Heard,
}

/// What somebody heard.
#[derive(Default)]
pub struct Heard {
    /// The last event.
    pub seen: i64,
    /// How many there were.
    pub events: i64,
    /// The first that was not the next one.
    pub odd: Option<String>,
    /// Of all that was told.
    pub digest: Digest,
    /// How often they began to listen.
    pub connections: usize,
    /// How often they ended in the middle of a frame.
    pub cut: usize,
    /// How often nobody was at the door.
    pub refused: usize,
    /// How often they were asked to come later.
    pub turned_away: usize,
}

/// The digest of a sequence of events.
#[derive(Default)]
pub struct Digest(DefaultHasher);

impl Digest {
    /// Adds an event; `cell` is empty for those of the whole run.
    pub fn add(&mut self, id: i64, kind: &str, cell: &str) {
        self.0.write_i64(id);
        for word in [kind, cell] {
            self.0.write(word.as_bytes());
            self.0.write_u8(0xff);
        }
    }

    /// The digest of what was added.
    pub fn value(&self) -> u64 {
        self.0.finish()
    }
}

impl Heard {
    fn note(&mut self, frame: &str, now: DateTime<Utc>, lags: &Lags) -> anyhow::Result<()> {
        let Some(event) = Event::of(frame)? else {
            return Ok(());
        };
        if event.id != self.seen + 1 && self.odd.is_none() {
            self.odd = Some(format!("event {} after {}", event.id, self.seen));
        }
        self.seen = event.id;
        self.events += 1;
        self.digest.add(event.id, event.kind, event.cell);
        if event.id % ASKED == 0 {
            lags.add(now - event.at);
        }
        Ok(())
    }
}

impl Listener {
    /// Listens until there is nothing more to hear.
    pub async fn listen(mut self) -> anyhow::Result<Heard> {
        loop {
            let door = self.door();
            let answer = self.caller.follow(door, &self.run, self.heard.seen).await;
            let pause = match answer {
                Err(_) => {
                    self.heard.refused += 1;
                    Duration::from_millis(50)
                }
                Ok(answer) => match answer.status().as_u16() {
                    200 => self.hear(answer).await?,
                    204 => return Ok(self.heard),
                    429 | 503 => {
                        self.heard.turned_away += 1;
                        RETRY
                    }
                    status => bail!(
                        "listener {}: {status} {}",
                        self.number,
                        answer.text().await?
                    ),
                },
            };
            tokio::time::sleep(pause).await;
        }
    }

    /// Each has a server of their own at first; afterwards chance decides.
    fn door(&mut self) -> u16 {
        let doors = self.doors.read().unwrap_or_else(PoisonError::into_inner);
        let place = if self.heard.connections == 0 {
            self.number
        } else {
            self.dice.random_range(0..doors.len())
        };
        doors[place % doors.len()]
    }

    /// Hears what an answer has to say, until it ends or they have enough; gives how long they
    /// stay away then.
    async fn hear(&mut self, mut answer: Response) -> anyhow::Result<Duration> {
        self.heard.connections += 1;
        let (mut left, mut frames) = (self.appetite(), Frames::default());
        while left > 0 {
            // An answer that ends, and one that breaks off: both are taken up again.
            let Ok(Some(piece)) = answer.chunk().await else {
                break;
            };
            let (now, taken) = (Utc::now(), &piece[..piece.len().min(left)]);
            left -= taken.len();
            frames.take(taken, |frame| self.heard.note(frame, now, &self.lags))?;
        }
        self.heard.cut += usize::from(frames.is_in_the_middle());
        Ok(if self.is_fickle {
            Duration::from_secs_f64(AWAY * self.dice.random::<f64>().powi(2))
        } else {
            RETRY
        })
    }

    /// After how many bytes they have enough: often a few, now and then all there are.
    fn appetite(&mut self) -> usize {
        if !self.is_fickle {
            return usize::MAX;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "between one and some millions"
        )]
        let bytes = self.bytes.powf(self.dice.random()) as usize;
        bytes
    }
}
