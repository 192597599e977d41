//! Writing together what many want written: whoever comes while a statement is under way goes with
//! the next. Nobody waits for company, and under load the statements grow instead of their number.

use std::{collections::VecDeque, time::Duration};

use futures::future::BoxFuture;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep_until},
};

/// The way in; clones lead to the same writer.
pub struct Batch<I, O> {
    sender: mpsc::UnboundedSender<(I, oneshot::Sender<O>)>,
}

/// The other end: what was handed in and not written yet.
pub struct Inbox<I, O> {
    receiver: mpsc::UnboundedReceiver<(I, oneshot::Sender<O>)>,
}

/// A batch and its inbox.
pub fn batch<I, O>() -> (Batch<I, O>, Inbox<I, O>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (Batch { sender }, Inbox { receiver })
}

impl<I, O> Batch<I, O> {
    /// Hands in, and waits until it is written. Never returns when the writer has failed: whoever
    /// runs both ends then.
    pub async fn add(&self, item: I) -> O {
        let (sender, receiver) = oneshot::channel();
        if self.sender.send((item, sender)).is_ok()
            && let Ok(written) = receiver.await
        {
            return written;
        }
        std::future::pending().await
    }
}

/// How items are written together.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The most items of a statement.
    pub items: usize,
    /// About as many bytes one statement has at most.
    pub bytes: usize,
    /// From one statement's beginning to the next: what comes meanwhile goes together.
    pub pause: Duration,
}

impl<I, O> Inbox<I, O> {
    /// Writes what comes at this pace, until writing fails. `write` answers each item, in order;
    /// `weigh` says how many bytes it has.
    pub async fn serve<'a, E>(
        mut self,
        pace: Pace,
        weigh: impl Fn(&I) -> usize,
        mut write: impl FnMut(Vec<I>) -> BoxFuture<'a, Result<Vec<O>, E>>,
    ) -> E {
        let mut waiting = VecDeque::new();
        let mut next = Instant::now();
        loop {
            if waiting.is_empty() {
                let Some(first) = self.receiver.recv().await else {
                    return std::future::pending().await;
                };
                waiting.push_back(first);
                sleep_until(next).await;
            }
            while waiting.len() < pace.items
                && let Ok(more) = self.receiver.try_recv()
            {
                waiting.push_back(more);
            }
            next = Instant::now() + pace.pause;
            let (items, senders) = portion(&mut waiting, pace.bytes, &weigh);
            let written = match write(items).await {
                Ok(written) => written,
                Err(cause) => return cause,
            };
            for (sender, written) in senders.into_iter().zip(written) {
                // Who went away meanwhile does not want to know.
                drop(sender.send(written));
            }
        }
    }
}

/// The first of those that wait, as many as so many bytes hold; one at least.
fn portion<I, S>(
    waiting: &mut VecDeque<(I, S)>,
    most: usize,
    weigh: impl Fn(&I) -> usize,
) -> (Vec<I>, Vec<S>) {
    let mut bytes = 0;
    let fits = waiting.iter().take_while(|(item, _)| {
        bytes += weigh(item);
        bytes <= most
    });
    let count = fits.count().max(1).min(waiting.len());
    waiting.drain(..count).unzip()
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Mutex};

    use futures::{FutureExt, future::join_all};
    use tokio::sync::Semaphore;

    use super::*;

    const AT_ONCE: Pace = Pace {
        items: 100,
        bytes: 1000,
        pause: Duration::ZERO,
    };

    #[test]
    fn a_statement_holds_what_its_bytes_allow_and_one_item_at_least() {
        let mut waiting: VecDeque<(usize, ())> =
            [400, 600, 1, 5000, 2].map(|bytes| (bytes, ())).into();
        let sizes = std::iter::from_fn(|| {
            let (items, _) = portion(&mut waiting, 1000, |bytes| *bytes);
            Some(items).filter(|items| !items.is_empty())
        });
        let sizes: Vec<Vec<usize>> = sizes.collect();
        assert_eq!(sizes, [vec![400, 600], vec![1], vec![5000], vec![2]]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_before_the_pace_allows_the_next_statement_goes_together() {
        let (way_in, inbox) = batch::<u32, u32>();
        let sizes = Mutex::new(Vec::new());
        let pace = Pace {
            pause: Duration::from_secs(1),
            ..AT_ONCE
        };
        let writer = inbox.serve(
            pace,
            |_| 1,
            |items: Vec<u32>| {
                sizes.lock().expect("alone").push(items.len());
                async move { Ok::<_, Infallible>(items) }.boxed()
            },
        );
        let callers = async {
            way_in.add(1).await;
            let later = (2..=10).map(|item| {
                let way_in = &way_in;
                async move {
                    tokio::time::sleep(Duration::from_millis(item.into())).await;
                    way_in.add(item).await
                }
            });
            join_all(later).await
        };
        tokio::select! {
            _ = callers => {}
            never = writer => match never {},
        }
        assert_eq!(sizes.into_inner().expect("alone"), [1, 9]);
    }

    #[tokio::test]
    async fn what_comes_during_a_write_goes_with_the_next() {
        let (way_in, inbox) = batch::<u32, u32>();
        let gate = Semaphore::new(0);
        let sizes = Mutex::new(Vec::new());
        let writer = inbox.serve(
            AT_ONCE,
            |_| 1,
            |items: Vec<u32>| {
                let (sizes, gate) = (&sizes, &gate);
                async move {
                    sizes.lock().expect("alone").push(items.len());
                    gate.acquire().await.expect("open").forget();
                    Ok::<_, Infallible>(items.iter().map(|item| item * 2).collect())
                }
                .boxed()
            },
        );
        let callers = async {
            let first = way_in.add(1);
            let rest = join_all((2..=10).map(|item| way_in.add(item)));
            let open = async {
                tokio::task::yield_now().await;
                gate.add_permits(2);
            };
            tokio::join!(first, rest, open)
        };
        let (first, rest, ()) = tokio::select! {
            done = callers => done,
            never = writer => match never {},
        };
        assert_eq!(first, 2);
        assert_eq!(rest, (2..=10).map(|item| item * 2).collect::<Vec<_>>());
        let sizes = sizes.into_inner().expect("alone");
        assert!(sizes.len() <= 2, "{sizes:?}");
        assert_eq!(sizes.iter().sum::<usize>(), 10);
    }
}
