//! Events that happened long ago, for whoever lags behind. They are read in pages of which each is
//! full and never changes; whoever wants a page that was just read gets the same one.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use actix_web::web::{Bytes, BytesMut};
use tokio::sync::{OnceCell, Semaphore};

use super::{PAGE, Subject, Written, locked};

/// How many pages are kept, whatever they are of; each has about 170 kilobytes.
const KEPT: usize = 128;

/// What a page is of, and the event after which it begins.
type Key = (Subject, i64);

/// Pages of everything, those last that were asked for last.
#[derive(Default)]
pub struct Pages(Mutex<VecDeque<(Key, Arc<OnceCell<Page>>)>>);

/// Events as they are sent.
struct Page {
    bytes: Bytes,
    /// The number of each, and where it ends. The first of a page may be kept no longer.
    ends: Vec<(i64, usize)>,
}

impl Page {
    fn of(found: &[Written]) -> Self {
        let (mut bytes, mut ends) = (BytesMut::new(), Vec::with_capacity(found.len()));
        for (number, written) in found {
            bytes.extend_from_slice(written);
            ends.push((*number, bytes.len()));
        }
        let bytes = bytes.freeze();
        Self { bytes, ends }
    }

    /// What comes after this event; `None` if there is nothing.
    fn after(&self, seen: i64) -> Option<Bytes> {
        let count = self.ends.partition_point(|(number, _)| *number <= seen);
        let start = count.checked_sub(1).map_or(0, |last| self.ends[last].1);
        (start < self.bytes.len()).then(|| self.bytes.slice(start..))
    }

    /// The number of the last event.
    fn last(&self) -> Option<i64> {
        self.ends.last().map(|(number, _)| *number)
    }
}

impl Pages {
    /// What comes after this event, and the number of the last that is in it.
    pub async fn after(
        &self,
        subject: Subject,
        seen: i64,
        pool: &db::Pool,
        turns: &Semaphore,
    ) -> anyhow::Result<Option<(Bytes, i64)>> {
        let first = seen - seen % PAGE;
        let place = self.place((subject, first));
        let read = async || {
            let _turn = turns.acquire().await?;
            let mut conn = pool.get().await?;
            let mut found = subject.after(&mut conn, first, PAGE).await?;
            found.retain(|(number, _)| *number <= first + PAGE);
            anyhow::Ok(Page::of(&found))
        };
        let page = place.get_or_try_init(read).await?;
        let last = page.last();
        if last != Some(first + PAGE) {
            // More may come: the next one reads it again.
            locked(&self.0).retain(|(known, _)| *known != (subject, first));
        }
        Ok(page.after(seen).zip(last))
    }

    /// Forgets those of what nobody follows any more.
    pub fn forget(&self, subject: Subject) {
        locked(&self.0).retain(|((of, _), _)| *of != subject);
    }

    fn place(&self, key: Key) -> Arc<OnceCell<Page>> {
        let mut pages = locked(&self.0);
        let known = pages.iter().position(|(known, _)| *known == key);
        let known = known.and_then(|known| pages.remove(known));
        let place = known.map_or_else(Arc::default, |(_, place)| place);
        pages.push_back((key, place.clone()));
        if pages.len() > KEPT {
            pages.pop_front();
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_goes_on_after_what_was_seen_of_it() {
        let page = Page::of(&[(8, "eight".into()), (9, "nine".into())]);
        let text = |seen| page.after(seen).map(|bytes| bytes.to_vec());
        assert_eq!(text(0), Some(b"eightnine".to_vec()));
        assert_eq!(text(7), Some(b"eightnine".to_vec()));
        assert_eq!(text(8), Some(b"nine".to_vec()));
        assert_eq!((text(9), text(10)), (None, None));
        assert_eq!(Page::of(&[]).after(0), None);
    }

    #[test]
    fn the_page_that_nobody_asked_for_the_longest_goes_first() {
        let run = Subject::Run(domain::runs::RunId::new());
        let other = Subject::Execution(domain::workflows::ExecutionId::new());
        let pages = Pages::default();
        let first = pages.place((run, 0));
        for page in 1..KEPT {
            pages.place((run, i64::try_from(page).expect("a few") * PAGE));
        }
        assert!(Arc::ptr_eq(&first, &pages.place((run, 0))));
        assert!(!Arc::ptr_eq(&first, &pages.place((other, 0))));
        assert!(Arc::ptr_eq(&first, &pages.place((run, 0))));
        assert_eq!(locked(&pages.0).len(), KEPT);
        let mut kept = locked(&pages.0)
            .iter()
            .map(|(key, _)| *key)
            .collect::<Vec<_>>();
        kept.retain(|key| *key == (run, PAGE));
        assert_eq!(kept, []);
        pages.forget(run);
        assert_eq!(locked(&pages.0).len(), 1);
    }
}
