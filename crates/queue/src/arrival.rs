//! Everything the gate asks of Redis about a request with an access token, in one trip: the copy
//! of the caller's profile, whether their session was ended, and whether they ask too often. It
//! is asked at every request, so that three questions would cost three times as much.

use std::{sync::LazyLock, time::Duration};

use domain::{auth::SessionId, users::UserId};
use redis::Script;
use serde::de::DeserializeOwned;

use crate::{
    cache::{Cache, Look},
    limits::{Limits, TooOften, WINDOW},
    tokens::Tokens,
};

static LOOK: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local seen = redis.call('MGET', KEYS[1], KEYS[2], KEYS[3])
         local count = redis.call('INCR', KEYS[4])
         if count == 1 then redis.call('PEXPIRE', KEYS[4], ARGV[1]) end
         local left = -1
         if count > tonumber(ARGV[2]) then left = redis.call('PTTL', KEYS[4]) end
         return {seen[1], seen[2], seen[3], left}",
    )
});

/// What Redis knows of a caller.
#[derive(Debug)]
pub struct Arrival<T> {
    /// Their profile, or the right to store it.
    pub profile: Look<T>,
    /// Whether their session was ended within the life of an access token. Unknown, and so
    /// `false`, while Redis is away.
    pub has_ended: bool,
    /// Whether they ask too often.
    pub counted: Result<(), TooOften>,
}

/// A caller with an access token.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// Who.
    pub user: UserId,
    /// In which session.
    pub session: SessionId,
    /// What the copy of their profile is called.
    pub profile: &'a str,
    /// How often they may ask in a minute.
    pub limit: u32,
}

/// Asks, and counts the request.
pub async fn look<T: DeserializeOwned>(
    cache: &Cache,
    limits: &Limits,
    tokens: &Tokens,
    caller: Caller<'_>,
) -> Arrival<T> {
    let (copy, stamp) = cache.keys(caller.profile);
    let counter = format!("user:{}", caller.user);
    let mut invocation = LOOK.key(copy);
    invocation
        .key(stamp)
        .key(tokens.ended_key(caller.session))
        .key(limits.key(&counter));
    invocation
        .arg(crate::cache::milliseconds(WINDOW))
        .arg(caller.limit);
    let mut redis = cache.redis.clone();
    let asked = invocation
        .invoke_async::<(Option<String>, Option<String>, Option<String>, i64)>(&mut redis);
    let issued = std::time::Instant::now();
    match cache.circuit.ask(asked).await {
        Some((copy, stamp, ended, left)) => Arrival {
            profile: Cache::read(caller.profile, issued, Some((copy, stamp))),
            has_ended: ended.is_some(),
            counted: match u64::try_from(left) {
                Ok(left) => Err(TooOften(Duration::from_millis(left))),
                Err(_) => Ok(()),
            },
        },
        None => Arrival {
            profile: Cache::read(caller.profile, issued, None),
            has_ended: false,
            counted: limits.count_locally(&counter, caller.limit),
        },
    }
}
