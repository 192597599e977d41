//! Events that happened long ago, for whoever lags behind. They are read in pages of which each is
//! full and never changes; whoever wants a page that was just read gets the same one.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use actix_web::web::{Bytes, BytesMut};
use db::runs::events::{self, Event};
use domain::runs::RunId;
use tokio::sync::{OnceCell, Semaphore};

use super::{PAGE, locked, written};

/// How many pages are kept, of a few hundred kilobytes at most each.
const KEPT: usize = 16;

/// Pages of a run, those last that were asked for last.
#[derive(Default)]
pub struct Pages(Mutex<VecDeque<(i64, Arc<OnceCell<Page>>)>>);

/// Events as they are sent.
struct Page {
    bytes: Bytes,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl Page {
    fn of(found: &[Event]) -> Self {
        let (mut bytes, mut ends) = (BytesMut::new(), Vec::with_capacity(found.len()));
        for event in found {
            bytes.extend_from_slice(&written(event));
            ends.push(bytes.len());
        }
        let bytes = bytes.freeze();
        Self { bytes, ends }
    }

    /// What comes after so many of them; `None` if there is nothing.
    fn after(&self, count: usize) -> Option<Bytes> {
        let start = match count.checked_sub(1) {
            Some(last) => *self.ends.get(last)?,
            None => 0,
        };
        (start < self.bytes.len()).then(|| self.bytes.slice(start..))
    }
}

impl Pages {
    /// What comes after this event, and the number of the last that is in it.
    pub async fn after(
        &self,
        run: RunId,
        seen: i64,
        pool: &db::Pool,
        turns: &Semaphore,
    ) -> anyhow::Result<Option<(Bytes, i64)>> {
        let first = seen - seen % PAGE;
        let place = self.place(first);
        let read = async || {
            let _turn = turns.acquire().await?;
            let mut conn = pool.get().await?;
            let found = events::after(&mut conn, run, first, PAGE).await?;
            anyhow::Ok(Page::of(&found))
        };
        let page = place.get_or_try_init(read).await?;
        let count = i64::try_from(page.ends.len())?;
        if count < PAGE {
            // More may come: the next one reads it again.
            locked(&self.0).retain(|(known, _)| *known != first);
        }
        let bytes = page.after(usize::try_from(seen - first)?);
        Ok(bytes.map(|bytes| (bytes, first + count)))
    }

    fn place(&self, first: i64) -> Arc<OnceCell<Page>> {
        let mut pages = locked(&self.0);
        let known = pages.iter().position(|(known, _)| *known == first);
        let known = known.and_then(|known| pages.remove(known));
        let (_, place) = known.clone().unwrap_or_default();
        pages.push_back((first, place.clone()));
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
        let event = |number| Event {
            number,
            kind: "started".into(),
            cell_id: None,
            row_index: None,
            column_index: None,
            at: chrono::DateTime::UNIX_EPOCH,
        };
        let page = Page::of(&[event(8), event(9)]);
        let text = |count| page.after(count).map(|bytes| bytes.to_vec());
        let last = written(&event(9)).to_vec();
        assert_eq!(
            text(0),
            Some([written(&event(8)).to_vec(), last.clone()].concat())
        );
        assert_eq!(text(1), Some(last));
        assert_eq!((text(2), text(3)), (None, None));
        assert_eq!(Page::of(&[]).after(0), None);
    }

    #[test]
    fn the_page_that_nobody_asked_for_the_longest_goes_first() {
        let pages = Pages::default();
        let first = pages.place(0);
        for page in 1..KEPT {
            pages.place(i64::try_from(page).expect("a few") * PAGE);
        }
        assert!(Arc::ptr_eq(&first, &pages.place(0)));
        pages.place(-PAGE);
        assert!(Arc::ptr_eq(&first, &pages.place(0)));
        assert_eq!(locked(&pages.0).len(), KEPT);
        assert!(locked(&pages.0).iter().all(|(known, _)| *known != PAGE));
    }
}
