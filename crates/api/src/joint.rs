//! One reading for all who ask the same at the same time: a team that opens its dashboard together
//! costs the database what one of them does. Nothing is kept: whoever asks gets a reading that began
//! after they asked.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{
        Arc, PoisonError, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::sync::Mutex;

/// Readings under way, by what was asked.
#[derive(Debug)]
pub struct Joint<K, T>(std::sync::Mutex<HashMap<K, Weak<Slot<T>>>>);

/// Where those who ask the same take turns.
#[derive(Debug)]
struct Slot<T> {
    begun: AtomicU64,
    last: Mutex<Option<(u64, Option<T>)>>,
}

impl<K, T> Default for Joint<K, T> {
    fn default() -> Self {
        Self(std::sync::Mutex::default())
    }
}

impl<K: Eq + Hash, T: Clone> Joint<K, T> {
    /// What `read` gives, or gave to another who asked later than this one did. A reading that fails
    /// fails for who began it; the others then read for themselves.
    pub async fn read<E>(
        &self,
        question: K,
        read: impl AsyncFnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let slot = self.slot(question);
        let asked = slot.begun.load(Ordering::SeqCst);
        let mut last = slot.last.lock().await;
        match &*last {
            Some((reading, Some(value))) if *reading > asked => return Ok(value.clone()),
            Some((reading, None)) if *reading > asked => {
                drop(last);
                return read().await;
            }
            _ => {}
        }
        let reading = slot.begun.fetch_add(1, Ordering::SeqCst) + 1;
        *last = Some((reading, None));
        let value = read().await?;
        *last = Some((reading, Some(value.clone())));
        Ok(value)
    }

    fn slot(&self, question: K) -> Arc<Slot<T>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&question).and_then(Weak::upgrade) {
            return slot;
        }
        slots.retain(|_, slot| slot.strong_count() > 0);
        let slot = Arc::new(Slot {
            begun: AtomicU64::new(0),
            last: Mutex::new(None),
        });
        slots.insert(question, Arc::downgrade(&slot));
        slot
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::Semaphore;

    use super::*;

    /// Readings that end when they are let, each with its number from 1.
    struct Source {
        joint: Joint<&'static str, usize>,
        readings: AtomicUsize,
        begun: Semaphore,
        let_end: Semaphore,
    }

    impl Source {
        fn new() -> Arc<Self> {
            Arc::new(Self {
                joint: Joint::default(),
                readings: AtomicUsize::new(0),
                begun: Semaphore::new(0),
                let_end: Semaphore::new(0),
            })
        }

        async fn reading(&self) -> usize {
            let number = self.readings.fetch_add(1, Ordering::SeqCst) + 1;
            self.begun.add_permits(1);
            self.let_end.acquire().await.expect("open").forget();
            number
        }

        async fn ask(&self, question: &'static str) -> Result<usize, &'static str> {
            self.joint
                .read(question, async || Ok(self.reading().await))
                .await
        }

        async fn has_begun(&self) {
            self.begun.acquire().await.expect("open").forget();
        }
    }

    /// Asks at once and as far as it goes without waiting, then in the background.
    async fn asking(source: &Arc<Source>) -> tokio::task::JoinHandle<usize> {
        let (source, (told, heard)) = (source.clone(), tokio::sync::oneshot::channel());
        let task = tokio::spawn(async move {
            let mut ask = std::pin::pin!(source.ask("a"));
            let first = futures::poll!(&mut ask);
            told.send(()).expect("heard");
            match first {
                std::task::Poll::Ready(value) => value.expect("a value"),
                std::task::Poll::Pending => ask.await.expect("a value"),
            }
        });
        heard.await.expect("asked");
        task
    }

    #[tokio::test]
    async fn who_asks_during_a_reading_shares_the_next_one() {
        let source = Source::new();
        let first = asking(&source).await;
        source.has_begun().await;
        let (second, third) = (asking(&source).await, asking(&source).await);
        source.let_end.add_permits(2);
        let values = (first.await, second.await, third.await);
        let values = (
            values.0.expect("one"),
            values.1.expect("two"),
            values.2.expect("three"),
        );
        assert_eq!(values, (1, 2, 2));
    }

    #[tokio::test]
    async fn nothing_is_kept_for_who_asks_later() {
        let source = Source::new();
        source.let_end.add_permits(2);
        assert_eq!(source.ask("a").await, Ok(1));
        assert_eq!(source.ask("a").await, Ok(2));
        // What nobody asks any more has no place either.
        let slots = source.joint.0.lock().expect("slots").len();
        assert_eq!(slots, 1);
        source.let_end.add_permits(1);
        assert_eq!(source.ask("b").await, Ok(3));
        assert_eq!(source.joint.0.lock().expect("slots").len(), 1);
    }

    #[tokio::test]
    async fn other_questions_do_not_wait() {
        let source = Source::new();
        let first = asking(&source).await;
        source.has_begun().await;
        let other = source.joint.read("b", async || Ok::<_, &str>(7)).await;
        assert_eq!(other, Ok(7));
        source.let_end.add_permits(1);
        assert_eq!(first.await.expect("one"), 1);
    }

    #[tokio::test]
    async fn who_waits_for_a_reading_that_fails_or_is_given_up_reads_alone() {
        let source = Source::new();
        let first = asking(&source).await;
        source.has_begun().await;
        let second = asking(&source).await;
        let third = asking(&source).await;
        // The second's reading is given up half way.
        source.let_end.add_permits(1);
        assert_eq!(first.await.expect("one"), 1);
        source.has_begun().await;
        second.abort();
        drop(second.await);
        source.let_end.add_permits(1);
        assert_eq!(third.await.expect("three"), 3);
        let failed = source.joint.read("c", async || Err::<usize, _>("no")).await;
        assert_eq!(failed, Err("no"));
    }
}
