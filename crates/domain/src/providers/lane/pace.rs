//! An even pace: the generic cell rate algorithm in place of a bucket of tokens. Both let through
//! the same calls; but here the state is a single moment, a call that has to wait can be given its
//! own moment in advance, and the callers of many processes need not come back to see who is first.

/// Milliseconds of the minute that limits are given for.
const MINUTE: f64 = 60_000.0;

/// The share of a limit that is made use of. The rest is for moments that reach the provider
/// earlier or later than they were meant to, and would count in another minute.
const SHARE: f64 = 0.97;

/// The longest that calls may run ahead of the pace.
const LONGEST_SLACK: f64 = 500.0;

/// How far apart things are, and how far they may run ahead.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pace {
    /// Milliseconds from one to the next.
    pub interval: f64,
    /// Milliseconds that they may run ahead, so that a caller who is late costs no turn.
    pub slack: f64,
}

impl Pace {
    /// The pace that keeps a limit per minute in every minute, wherever it is thought to begin: at
    /// most `SHARE` of it, one more at the start, and half of what remains as slack.
    pub fn per_minute(limit: u32) -> Self {
        let limit = f64::from(limit.max(1));
        let interval = MINUTE / (limit * SHARE);
        let spare = ((limit * (1.0 - SHARE)) / 2.0 - 1.0).max(0.0);
        Self {
            interval,
            slack: (spare * interval).min(LONGEST_SLACK),
        }
    }

    /// The pace of something of which a minute has this many, a part of which at once is one call.
    #[must_use]
    pub fn share(self, parts: f64) -> Self {
        Self {
            interval: self.interval * parts,
            slack: 0.0,
        }
    }
}
