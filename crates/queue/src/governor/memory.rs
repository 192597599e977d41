//! What a process remembers of a lane: its own calls, and the time that a provider named.

use domain::providers::lane::{Lane, Lesson, Rules};

use super::script::Known;

/// A lane of this process, by its own clock.
#[derive(Debug, Default)]
pub(super) struct Memory {
    pub(super) lane: Lane,
    /// The moment until which the lane is parked by Redis' clock; 0 while Redis has not confirmed it.
    /// Only this is passed on once it is there: counted by our clock the time would be later by the
    /// way of an answer each time that it comes back.
    shared_until: f64,
}

impl Memory {
    /// The time that is named and not over.
    pub(super) fn known(&self, now: f64) -> Known {
        let lane = &self.lane;
        if lane.parked_until <= now {
            return Known::default();
        }
        Known {
            wait: lane.parked_until - now,
            until: self.shared_until,
            named: lane.named,
            quota: lane.is_quota,
        }
    }

    /// Keeps what Redis said, should it go away or forget it. What it said before teaches nothing.
    pub(super) fn remember(&mut self, now: f64, said: Known) {
        #[expect(clippy::float_cmp, reason = "the same number, passed around")]
        let is_old = said.wait <= 0.0 || said.until == self.shared_until;
        if is_old {
            return;
        }
        #[expect(clippy::float_cmp, reason = "the same number, passed around")]
        let is_ours = said.named == self.lane.named && self.lane.parked_until > now;
        let until = now + said.wait;
        if is_ours || until > self.lane.parked_until {
            self.lane.park(until, said.named, said.quota);
            self.shared_until = said.until;
        }
    }

    /// Learns from the end of a call of this process.
    pub(super) fn settle(
        &mut self,
        now: f64,
        id: &str,
        entered: f64,
        surplus: f64,
        lesson: &Lesson,
        rules: &Rules,
    ) {
        let before = self.lane.parked_until;
        self.lane.settle(now, id, entered, surplus, lesson, rules);
        if self.lane.parked_until > before {
            self.shared_until = 0.0;
        }
    }
}
