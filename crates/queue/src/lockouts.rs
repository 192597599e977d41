//! Wrong guesses, counted per account and per address over all processes. An attempt counts as
//! wrong when it begins and is taken back when it was right: guesses made side by side cannot
//! slip past the count. Without Redis nobody can sign in, so an error here is one.

use std::{sync::LazyLock, time::Duration};

use domain::auth::lockout::Lockout;
use redis::{RedisError, Script};

use crate::{Config, Redis, cache::milliseconds};

/// How long failures are remembered after the last one.
const MEMORY: Duration = Duration::from_secs(24 * 60 * 60);

/// For each subject a counter and a lock. Refuses while any lock stands, else counts one attempt
/// for each and sets the locks that are due. The waits of all subjects follow one another in the
/// arguments, each list behind its length.
static BEGIN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local longest = 0
         for i = 2, #KEYS, 2 do longest = math.max(longest, redis.call('PTTL', KEYS[i])) end
         if longest > 0 then return longest end
         local at = 2
         for i = 1, #KEYS, 2 do
             local count = redis.call('INCR', KEYS[i])
             redis.call('PEXPIRE', KEYS[i], ARGV[1])
             local length = tonumber(ARGV[at])
             local wait = tonumber(ARGV[at + math.min(count, length)])
             if wait > 0 then redis.call('SET', KEYS[i + 1], '1', 'PX', wait) end
             at = at + length + 1
         end
         return 0",
    )
});

/// Takes one attempt back: of the account everything, of the address this one.
static SUCCEED: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('DEL', KEYS[1], KEYS[2])
         if redis.call('DECR', KEYS[3]) <= 0 then redis.call('DEL', KEYS[3]) end
         redis.call('DEL', KEYS[4])",
    )
});

/// Counters of wrong guesses.
#[derive(Clone)]
pub struct Lockouts {
    redis: Redis,
    config: Config,
    account: Vec<Duration>,
    address: Vec<Duration>,
}

/// Too many wrong guesses; the next one is looked at after this time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Locked(pub Duration);

impl Lockouts {
    /// Counters in this Redis, under a rule for accounts and one for network addresses.
    pub fn new(redis: Redis, config: Config, account: Lockout, address: Lockout) -> Self {
        Self {
            redis,
            config,
            account: account.schedule(),
            address: address.schedule(),
        }
    }

    /// Counts an attempt on an account (known or not) from an address, unless either is locked.
    pub async fn begin(
        &self,
        account: &str,
        address: &str,
    ) -> Result<Result<(), Locked>, RedisError> {
        let mut invocation = BEGIN.prepare_invoke();
        for key in self.keys(account, address) {
            invocation.key(key);
        }
        invocation.arg(milliseconds(MEMORY));
        for waits in [&self.account, &self.address] {
            invocation.arg(waits.len());
            for wait in waits {
                invocation.arg(milliseconds(*wait));
            }
        }
        let left: u64 = invocation.invoke_async(&mut self.redis.clone()).await?;
        Ok(if left == 0 {
            Ok(())
        } else {
            Err(Locked(Duration::from_millis(left)))
        })
    }

    /// Takes a counted attempt back, since it was right.
    pub async fn succeed(&self, account: &str, address: &str) -> Result<(), RedisError> {
        let mut invocation = SUCCEED.prepare_invoke();
        for key in self.keys(account, address) {
            invocation.key(key);
        }
        invocation.invoke_async(&mut self.redis.clone()).await
    }

    fn keys(&self, account: &str, address: &str) -> [String; 4] {
        let key = |name: &str, subject: &str| self.config.key(&format!("{name}:{subject}"));
        [
            key("failures:account", account),
            key("locked:account", account),
            key("failures:address", address),
            key("locked:address", address),
        ]
    }
}
