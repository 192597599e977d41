//! A call's place in its lane: waited for, kept while the call is under way, and given back however
//! it ends.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::Utc;
use domain::providers::{
    ProviderError,
    lane::{Entry, Lesson, Refusal, Wish},
};
use tokio::{runtime::Handle, task::AbortHandle, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::road::{Admitted, Labels, Road};

/// How long is waited for a place before Redis is asked again, at first …
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// … and at most.
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// When it is worth coming back to a lane that is full, in milliseconds.
const FULL: f64 = 1_000.0;

/// How often somebody who waits for a time asks again, in milliseconds: a Redis that has forgotten
/// it meanwhile is told, and a circuit that opened early is noticed.
const LOOK: f64 = 250.0;

/// The right to make one call. Dropped without [`Place::settle`] it is given back and teaches nothing.
pub(super) struct Place {
    road: Arc<Road>,
    id: String,
    tokens: f64,
    /// When the call began, by this process's clock.
    entered: f64,
    admitted: Admitted,
    began: Instant,
    renewal: Option<AbortHandle>,
    is_open: bool,
}

impl Place {
    /// Waits for a place, at most as long as `patience` and not beyond `stop`.
    pub(super) async fn take(
        road: Arc<Road>,
        tokens: f64,
        patience: Duration,
        stop: &CancellationToken,
    ) -> Result<Self, ProviderError> {
        let asked = Instant::now();
        let mut place = Self {
            road,
            id: Uuid::new_v4().simple().to_string(),
            tokens,
            entered: 0.0,
            admitted: Admitted::Alone,
            began: asked,
            renewal: None,
            is_open: true,
        };
        let waited = tokio::select! {
            biased;
            () = stop.cancelled() => return Err(ending()),
            waited = place.wait(asked + patience) => waited,
        };
        let labels = place.road.labels.clone();
        metrics::histogram!("provider_wait_seconds", "provider" => labels.provider.clone(), "family" => labels.family.clone())
            .record(asked.elapsed().as_secs_f64());
        match waited {
            Ok(()) => place.begin(),
            Err((wait, why)) => {
                // Refused is gone from the lane already.
                place.is_open = false;
                return Err(turned_away(&labels, wait, &why));
            }
        }
        Ok(place)
    }

    /// Asks until the answer is one. Whoever has no place yet keeps the door, behind which the others
    /// of this process wait; whoever has one and waits for its moment lets the next one ask.
    async fn wait(&mut self, deadline: Instant) -> Result<(), (f64, Refusal)> {
        let road = self.road.clone();
        let full = || (FULL, Refusal::Paced);
        let mut at_door = Some(
            timeout(left(deadline), road.door.lock())
                .await
                .map_err(|_| full())?,
        );
        let (mut wish, mut pause) = (self.wish(), FIRST_PAUSE);
        loop {
            wish.patience = left(deadline).as_secs_f64() * 1000.0;
            let freed = road.freed.notified();
            let (entry, admitted) = road.enter(&wish).await;
            self.admitted = admitted;
            match entry {
                Entry::Go => return Ok(()),
                Entry::Refused { wait, why } => return Err((wait, why)),
                Entry::Closed { wait } => {
                    wish.reserved = None;
                    sleep(wait.min(LOOK)).await;
                }
                Entry::Reserved { at, wait } => {
                    at_door = None;
                    wish.reserved = Some(at);
                    sleep(wait).await;
                }
                Entry::Full if wish.patience <= 0.0 => return Err(full()),
                Entry::Full => {
                    drop(timeout(pause.min(left(deadline)), freed).await);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
            }
            let _ = &at_door;
        }
    }

    fn wish(&self) -> Wish {
        Wish {
            id: self.id.clone(),
            reserved: None,
            tokens: self.tokens,
            patience: 0.0,
        }
    }

    fn begin(&mut self) {
        self.entered = self.road.now();
        self.began = Instant::now();
        let kept = self.road.clone().keep(self.id.clone());
        self.renewal = Some(tokio::spawn(kept).abort_handle());
    }

    /// Ends the call. A failure is known to all processes when this returns; a success is told to
    /// them besides, since nobody has to wait for that.
    pub(super) async fn settle(mut self, ended: Result<u64, &ProviderError>) {
        let lesson = match ended {
            Ok(_) => Lesson::Good,
            Err(error) => Lesson::of(error, Utc::now()),
        };
        self.count(ended.map_or_else(ProviderError::class, |_| "ok"));
        self.announce(&lesson, ended.err());
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let surplus = ended.map_or(0.0, |used| used as f64 - self.tokens);
        let is_good = lesson == Lesson::Good;
        // On its own: a caller that is given up now must not take the lesson along.
        let told = tokio::spawn(self.close(surplus, lesson));
        if !is_good {
            told.await.ok();
        }
    }

    /// Ends a call whose stream broke after so many tokens. Its words are the answer, and yet the provider
    /// has failed.
    pub(super) async fn broke(mut self, used: u64) {
        self.count("cut");
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let surplus = used as f64 - self.tokens;
        let told = tokio::spawn(self.close(surplus, Lesson::Failed));
        told.await.ok();
    }

    /// Gives the place back; the future tells Redis.
    fn close(&mut self, surplus: f64, lesson: Lesson) -> impl Future<Output = ()> + Send + use<> {
        self.is_open = false;
        if let Some(renewal) = self.renewal.take() {
            renewal.abort();
        }
        let (road, id, entered) = (
            self.road.clone(),
            std::mem::take(&mut self.id),
            (self.entered, self.admitted),
        );
        async move {
            let is_told = road.settle(&id, entered, surplus, &lesson).await;
            if !is_told && lesson.repeated(0.0).is_some() {
                // Before everything that Redis knows if it was not asked.
                let entered = match entered.1 {
                    Admitted::Shared(at) => at,
                    Admitted::Alone => 0.0,
                };
                tokio::spawn(async move { road.repeat(entered, lesson).await });
            }
        }
    }

    fn count(&self, outcome: &'static str) {
        let labels = || {
            let Labels {
                provider, family, ..
            } = &self.road.labels;
            [
                ("provider", provider.clone()),
                ("family", family.clone()),
                ("outcome", outcome.to_owned()),
            ]
        };
        metrics::counter!("provider_calls_total", &labels()).increment(1);
        metrics::histogram!("provider_latency_seconds", &labels())
            .record(self.began.elapsed().as_secs_f64());
    }

    /// One line where somebody may have to do something, not one for each call that waits.
    fn announce(&self, lesson: &Lesson, error: Option<&ProviderError>) {
        if let (
            Lesson::Wait { .. } | Lesson::FailedUntil { .. } | Lesson::Complaint(_),
            Some(error),
        ) = (lesson, error)
        {
            let Labels {
                provider,
                family,
                key,
            } = &self.road.labels;
            tracing::warn!(provider, model.family = family, key, error.class = error.class(), error = %error,
                "the provider is not called for a while");
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let told = self.close(0.0, Lesson::None);
        // Without a runtime the process is ending, and the lease will do it.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(told);
        }
    }
}

fn turned_away(labels: &Labels, wait: f64, why: &Refusal) -> ProviderError {
    // Those who wait for our own pace need not all come back at the same moment.
    let wait = match why {
        Refusal::Paced => wait * (1.0 + rand::random::<f64>()),
        _ => wait,
    };
    let error = match why.told(Utc::now(), wait) {
        held @ ProviderError::Held { .. } => held,
        said => ProviderError::Unasked(Box::new(said)),
    };
    metrics::counter!("provider_turned_away_total", "provider" => labels.provider.clone(),
        "family" => labels.family.clone(), "reason" => error.class())
    .increment(1);
    error
}

fn ending() -> ProviderError {
    ProviderError::Held {
        until: Utc::now(),
        why: "the process that asked is about to end",
    }
}

fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// Sleeps for so many milliseconds, and never less: the moment after it is not before the time.
async fn sleep(milliseconds: f64) {
    tokio::time::sleep(Duration::from_secs_f64(
        milliseconds.clamp(0.0, 1e9) / 1000.0,
    ))
    .await;
}
