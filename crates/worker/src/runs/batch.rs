//! Writing together what many want written: whoever comes while a statement is under way goes with
//! the next. Nobody waits for company, and under load the statements grow instead of their number.

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};

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

impl<I, O> Inbox<I, O> {
    /// Writes what comes, at most so many at once, until writing fails. `write` answers each item, in
    /// order.
    pub async fn serve<'a, E>(
        mut self,
        most: usize,
        mut write: impl FnMut(Vec<I>) -> BoxFuture<'a, Result<Vec<O>, E>>,
    ) -> E {
        loop {
            let mut waiting = Vec::new();
            if self.receiver.recv_many(&mut waiting, most).await == 0 {
                return std::future::pending().await;
            }
            let (items, senders): (Vec<I>, Vec<_>) = waiting.into_iter().unzip();
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

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Mutex};

    use futures::{FutureExt, future::join_all};
    use tokio::sync::Semaphore;

    use super::*;

    #[tokio::test]
    async fn what_comes_during_a_write_goes_with_the_next() {
        let (way_in, inbox) = batch::<u32, u32>();
        let gate = Semaphore::new(0);
        let sizes = Mutex::new(Vec::new());
        let writer = inbox.serve(100, |items: Vec<u32>| {
            let (sizes, gate) = (&sizes, &gate);
            async move {
                sizes.lock().expect("alone").push(items.len());
                gate.acquire().await.expect("open").forget();
                Ok::<_, Infallible>(items.iter().map(|item| item * 2).collect())
            }
            .boxed()
        });
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
