//! The lane of one key and one model family: when the next call may be made, and what its end
//! teaches. Pure arithmetic, and the model of the two scripts that `queue::governor` runs in Redis
//! for all processes together; a process that cannot reach Redis keeps a lane of its own by it.
//!
//! Times are milliseconds of one clock, whichever keeps the lane, as `f64` since Redis' Lua has no
//! other number. What a provider named as a moment comes in as a wait from now, so that clocks of
//! different machines need not agree.

use std::collections::HashMap;

mod lesson;
mod pace;

pub use lesson::{Lesson, Refusal};
pub use pace::Pace;

/// Failures in a row after which nobody calls for a while.
pub const FAILURES: u32 = 5;

/// How long nobody calls after so many failures; each further one doubles it …
pub const FIRST_PAUSE: f64 = 1_000.0;

/// … up to this.
pub const LONGEST_PAUSE: f64 = 60_000.0;

/// How long a refused key or an empty purse is believed before one call asks again.
pub const ATTENTION: f64 = 60_000.0;

/// How long the one call that tries a closed lane is alone.
pub const PROBE: f64 = 5_000.0;

/// A reserved moment that passed longer ago than this is void: many that are late would come at once.
pub const STALE: f64 = 1_000.0;

/// Calls at once in a lane of which nothing is known.
pub const INITIAL: f64 = 8.0;

/// What a lane is held to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// The most calls at once, whatever goes well.
    pub most: f64,
    /// The pace of calls, if they are limited.
    pub calls: Option<Pace>,
    /// The pace of tokens, if they are limited.
    pub tokens: Option<Pace>,
    /// How long a place is kept for a caller that gives no sign.
    pub lease: f64,
}

/// A wish to call.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The caller; the same at each try.
    pub id: String,
    /// The moment that an earlier try was given.
    pub reserved: Option<f64>,
    /// About how many tokens it will take.
    pub tokens: f64,
    /// The longest wait it would take on itself.
    pub patience: f64,
}

/// What a wish is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Call now.
    Go,
    /// A place and a moment are reserved: ask again then, before the call.
    Reserved {
        /// The moment.
        at: f64,
        /// How long it is until then.
        wait: f64,
    },
    /// The lane is closed for less than the caller's patience: ask again after it.
    Closed {
        /// For how long.
        wait: f64,
    },
    /// All places are taken: ask again in a moment, or when one becomes free.
    Full,
    /// Closed for longer than the caller's patience.
    Refused {
        /// For how long.
        wait: f64,
        /// Why.
        why: Refusal,
    },
}

/// The state of a lane.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lane {
    /// Until when a provider wants no call.
    pub parked_until: f64,
    /// That moment as the provider named it, in milliseconds of Unix time.
    pub named: f64,
    /// Whether it is the quota of a day that is spent.
    pub is_quota: bool,
    /// Until when nobody calls because calls failed, or while one call tries.
    pub shut_until: f64,
    /// When it was last closed for failures.
    pub shut_at: f64,
    /// Failures in a row.
    pub failures: u32,
    /// What a provider said that refused the key or found no money.
    pub complaint: Option<Refusal>,
    /// Calls at once; 0 in a new lane.
    pub limit: f64,
    /// When the limit was last cut; 0 if never.
    pub cut_at: f64,
    /// The earliest moment of the next call at an even pace.
    pub next_call: f64,
    /// The same for tokens.
    pub next_token: f64,
    /// Until when each caller has its place.
    pub places: HashMap<String, f64>,
}

impl Lane {
    /// Answers a wish at this moment.
    pub fn enter(&mut self, now: f64, wish: &Wish, rules: &Rules) -> Entry {
        self.places.retain(|_, until| *until > now);
        if let Some((until, why)) = self.closed(now) {
            self.places.remove(&wish.id);
            let wait = until - now;
            return if wait > wish.patience {
                Entry::Refused { wait, why }
            } else {
                Entry::Closed { wait }
            };
        }
        if !self.places.contains_key(&wish.id) && !self.has_room(rules) {
            return Entry::Full;
        }
        let at = match wish.reserved {
            Some(at) if at + STALE >= now && self.places.contains_key(&wish.id) => at,
            _ => match self.reserve(now, wish, rules) {
                Ok(at) => at,
                Err(wait) => {
                    self.places.remove(&wish.id);
                    let why = Refusal::Paced;
                    return Entry::Refused { wait, why };
                }
            },
        };
        let wait = (at - now).max(0.0);
        self.places
            .insert(wish.id.clone(), now + wait + rules.lease);
        if wait > 0.0 {
            return Entry::Reserved { at, wait };
        }
        if self.failures >= FAILURES {
            self.shut_until = now + PROBE;
        }
        Entry::Go
    }

    /// Learns from the end of a call that entered at `entered`; the place is free again.
    /// `surplus` is how many more tokens it took than its wish said.
    pub fn settle(
        &mut self,
        now: f64,
        id: &str,
        entered: f64,
        surplus: f64,
        lesson: &Lesson,
        rules: &Rules,
    ) {
        self.places.retain(|_, until| *until > now);
        let taken = self.places.len();
        self.places.remove(id);
        if let Some(pace) = rules.tokens {
            self.next_token += surplus * pace.interval;
        }
        match lesson {
            Lesson::None => {}
            Lesson::Answered => self.reopen(),
            Lesson::Good => {
                self.reopen();
                self.grow(taken, rules);
            }
            Lesson::Wait { wait, named, quota } => {
                self.park(now + wait, *named, *quota);
                if !quota {
                    self.cut(now, entered, rules);
                }
            }
            Lesson::Failed => {
                self.cut(now, entered, rules);
                self.fail(now, entered);
            }
            Lesson::FailedUntil { wait, named } => {
                self.park(now + wait, *named, false);
                self.cut(now, entered, rules);
                self.fail(now, entered);
            }
            Lesson::Complaint(complaint) => {
                self.failures = self.failures.max(FAILURES);
                self.complaint = Some(complaint.clone());
                (self.shut_at, self.shut_until) = (now, now + ATTENTION);
            }
        }
    }

    /// Nobody calls before this moment. A moment that was named before and is later stands.
    pub fn park(&mut self, until: f64, named: f64, quota: bool) {
        if until > self.parked_until {
            (self.parked_until, self.named, self.is_quota) = (until, named, quota);
        }
    }

    /// How many calls may be under way at once.
    pub fn limit(&self, rules: &Rules) -> f64 {
        let limit = if self.limit > 0.0 {
            self.limit
        } else {
            INITIAL
        };
        limit.min(rules.most).max(1.0)
    }

    fn closed(&self, now: f64) -> Option<(f64, Refusal)> {
        if self.parked_until > now {
            let (named, quota) = (self.named, self.is_quota);
            return Some((self.parked_until, Refusal::Parked { named, quota }));
        }
        if self.failures >= FAILURES && self.shut_until > now {
            let why = self.complaint.clone().unwrap_or(Refusal::Failing);
            return Some((self.shut_until, why));
        }
        None
    }

    fn has_room(&self, rules: &Rules) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "at most some thousand")]
        let taken = self.places.len() as f64;
        taken < self.limit(rules).floor()
    }

    /// The earliest moment at the pace of the rules, or how far it lies beyond the caller's patience.
    fn reserve(&mut self, now: f64, wish: &Wish, rules: &Rules) -> Result<f64, f64> {
        let earliest = |next: f64, pace: Option<Pace>| pace.map_or(now, |pace| next - pace.slack);
        let at = now
            .max(earliest(self.next_call, rules.calls))
            .max(earliest(self.next_token, rules.tokens));
        if at - now > wish.patience {
            return Err(at - now);
        }
        if let Some(pace) = rules.calls {
            self.next_call = self.next_call.max(at) + pace.interval;
        }
        if let Some(pace) = rules.tokens {
            self.next_token = self.next_token.max(at) + wish.tokens * pace.interval;
        }
        Ok(at)
    }

    fn reopen(&mut self) {
        (self.failures, self.shut_until, self.complaint) = (0, 0.0, None);
    }

    /// One more a call until the first trouble, which doubles the limit in a round; then one more a
    /// round. A limit that was not made use of says nothing.
    fn grow(&mut self, taken: usize, rules: &Rules) {
        let limit = self.limit(rules);
        #[expect(clippy::cast_precision_loss, reason = "at most some thousand")]
        let taken = taken as f64;
        if taken * 2.0 < limit {
            return;
        }
        let more = if self.cut_at > 0.0 { 1.0 / limit } else { 1.0 };
        self.limit = (limit + more).min(rules.most);
    }

    /// Halves the limit, once for all calls that were under way together.
    fn cut(&mut self, now: f64, entered: f64, rules: &Rules) {
        if entered >= self.cut_at {
            self.limit = (self.limit(rules) / 2.0).max(1.0);
            self.cut_at = now;
        }
    }

    /// Counts a failure, unless the call was already under way when the lane was closed.
    fn fail(&mut self, now: f64, entered: f64) {
        if self.failures >= FAILURES && entered < self.shut_at {
            return;
        }
        self.failures += 1;
        if self.failures >= FAILURES {
            self.complaint = None;
            (self.shut_at, self.shut_until) = (now, now + pause(self.failures));
        }
    }
}

/// How long nobody calls after so many failures in a row.
pub fn pause(failures: u32) -> f64 {
    let further = failures.saturating_sub(FAILURES).min(20);
    (FIRST_PAUSE * f64::from(1 << further)).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests;
