//! A limit of calls a minute, enforced as strictly as any provider might: in every minute and in
//! every second, wherever they are thought to begin.

use std::{
    collections::{HashMap, VecDeque},
    time::{Duration, Instant},
};

const MINUTE: Duration = Duration::from_secs(60);
const SECOND: Duration = Duration::from_secs(1);

/// The moments of the calls that were answered, by model.
#[derive(Debug, Default)]
pub(super) struct Minute(HashMap<String, VecDeque<Instant>>);

impl Minute {
    /// Takes a call in, or says how long it is until there is room for one.
    pub(super) fn admit(&mut self, model: &str, limit: u32, now: Instant) -> Result<(), Duration> {
        let moments = self.0.entry(model.to_owned()).or_default();
        while moments
            .front()
            .is_some_and(|first| now.duration_since(*first) >= MINUTE)
        {
            moments.pop_front();
        }
        let limit = limit as usize;
        let in_a_second = (limit / 30).max(1);
        // The call that has to be that long ago before there is room.
        let full = |count: usize, window: Duration| {
            let oldest = *moments.get(moments.len().checked_sub(count)?)?;
            Some(window.checked_sub(now.duration_since(oldest))?).filter(|left| !left.is_zero())
        };
        if let Some(left) = full(limit, MINUTE).max(full(in_a_second, SECOND)) {
            return Err(left);
        }
        moments.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_and_a_second_have_room_for_so_many() {
        let (mut minute, start) = (Minute::default(), Instant::now());
        let mut admit = |ms| minute.admit("m", 60, start + Duration::from_millis(ms));
        assert_eq!([admit(0), admit(1)], [Ok(()), Ok(())]);
        assert_eq!(admit(10), Err(Duration::from_millis(990)));
        for second in 1..30 {
            assert_eq!(
                [admit(second * 1001), admit(second * 1001 + 1)],
                [Ok(()), Ok(())]
            );
        }
        assert_eq!(admit(31_000), Err(Duration::from_secs(29)));
        assert_eq!(admit(60_000), Ok(()));
    }
}
