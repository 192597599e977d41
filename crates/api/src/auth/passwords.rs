//! Hashing passwords: argon2id with 19 MiB, two passes and one lane, on threads that may block,
//! and only so many at once, since each takes its memory and a processor.

use std::{sync::Arc, time::Duration};

use argon2::{
    Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version,
    password_hash::phc::PasswordHash,
};
use domain::auth::passwords::{GivenPassword, NewPassword};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{ApiError, ApiResult};

/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is verified when there is no hash: a hash of these parameters that no password has, so
/// that an unknown address takes as long as a wrong password.
const NOBODYS: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGhhcyB0aGlzIQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The turns at hashing.
pub struct Passwords {
    turns: Arc<Semaphore>,
}

impl Passwords {
    /// At most so many at once.
    pub fn new(at_once: usize) -> Self {
        Self {
            turns: Arc::new(Semaphore::new(at_once)),
        }
    }

    /// The hash to store, in PHC form.
    pub async fn hash(&self, password: &NewPassword) -> ApiResult<String> {
        let password = password.clone();
        self.take_turn(move || hash(&password))
            .await?
            .map_err(|cause| ApiError::internal(&cause))
    }

    /// Whether the password is the stored one. Without a stored one it takes as long and is not.
    pub async fn verify(&self, given: &GivenPassword, stored: Option<String>) -> ApiResult<bool> {
        let given = given.clone();
        self.take_turn(move || verify(&given, stored.as_deref()))
            .await
    }

    async fn take_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> ApiResult<T> {
        let turn = self.turn().await?;
        let done = tokio::task::spawn_blocking(move || {
            // Kept here: a caller who hangs up does not make room while the work goes on.
            let _turn = turn;
            work()
        });
        done.await.map_err(|cause| ApiError::internal(&cause))
    }

    async fn turn(&self) -> ApiResult<OwnedSemaphorePermit> {
        match tokio::time::timeout(PATIENCE, self.turns.clone().acquire_owned()).await {
            Ok(turn) => turn.map_err(|cause| ApiError::internal(&cause)),
            Err(late) => Err(ApiError::unavailable("sign-in", &late)),
        }
    }
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// The hash to store, in PHC form. Blocks for some ten milliseconds.
pub fn hash(password: &NewPassword) -> Result<String, argon2::password_hash::Error> {
    Ok(argon2()
        .hash_password(password.reveal().as_bytes())?
        .to_string())
}

fn verify(given: &GivenPassword, stored: Option<&str>) -> bool {
    let Ok(hash) = PasswordHash::new(stored.unwrap_or(NOBODYS)) else {
        tracing::error!("a stored password hash cannot be read");
        return false;
    };
    let matches = argon2()
        .verify_password(given.reveal().as_bytes(), &hash)
        .is_ok();
    matches && stored.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_the_parameters_we_promise_and_knows_its_password() {
        let password = "violet-otter-77".parse().expect("acceptable");
        let stored = hash(&password).expect("hashable");
        assert!(
            stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{stored}"
        );
        let given = |text: &str| text.parse::<GivenPassword>().expect("short enough");
        assert!(verify(&given("violet-otter-77"), Some(&stored)));
        assert!(!verify(&given("violet-otter-78"), Some(&stored)));
    }

    #[test]
    fn the_hash_of_nobody_can_be_read_and_fits_nothing() {
        let nobody = PasswordHash::new(NOBODYS).expect("readable");
        assert_eq!(nobody.to_string(), NOBODYS);
        assert!(!verify(&"".parse().expect("short enough"), None));
    }
}
