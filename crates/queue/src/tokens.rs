//! Sessions and their refresh tokens. A token is exchanged for the next one at every use, by one
//! atomic compare-and-swap; one that comes a second time is a stolen one or its victim's, so the
//! whole session ends. Only hashes of the secrets are stored. Without Redis nobody can sign in or
//! refresh, so an error here is one; access tokens go on being good.

use std::{collections::HashMap, sync::LazyLock, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    auth::{SessionId, secrets::RefreshToken},
    users::UserId,
};
use redis::{AsyncCommands as _, RedisError, Script};
use serde::{Deserialize, Serialize};

use crate::{Config, Redis, cache::milliseconds};

/// How long a refresh token is good.
pub const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Writes a session and lists it under its user.
static OPEN: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "redis.call('HSET', KEYS[1], unpack(ARGV, 5))
         redis.call('PEXPIRE', KEYS[1], ARGV[1])
         redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', ARGV[3])
         redis.call('ZADD', KEYS[2], ARGV[4], ARGV[2])
         redis.call('PEXPIRE', KEYS[2], ARGV[1])",
    )
});

/// Exchanges the current token, or ends the session when a former one comes back.
static EXCHANGE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local family, current = unpack(redis.call('HMGET', KEYS[1], 'family', 'current'))
         if not family or family ~= ARGV[1] then return 'unknown' end
         if current ~= ARGV[2] then
             redis.call('DEL', KEYS[1])
             redis.call('ZREM', KEYS[2], ARGV[7])
             redis.call('SET', KEYS[3], '1', 'PX', ARGV[8])
             return 'reused'
         end
         redis.call('HSET', KEYS[1], 'current', ARGV[3], 'used', ARGV[4], 'expires', ARGV[5])
         redis.call('PEXPIRE', KEYS[1], ARGV[6])
         redis.call('ZADD', KEYS[2], ARGV[5], ARGV[7])
         redis.call('PEXPIRE', KEYS[2], ARGV[6])
         return 'exchanged'",
    )
});

/// Ends a session, if it is one of this user's.
static REVOKE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return 0 end
         redis.call('DEL', KEYS[1])
         redis.call('SET', KEYS[3], '1', 'PX', ARGV[2])
         return 1",
    )
});

/// The sessions of one installation.
#[derive(Clone)]
pub struct Tokens {
    redis: Redis,
    config: Config,
    access_life: Duration,
}

/// Who signs in, and from where.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Who.
    pub user: UserId,
    /// The user's epoch: a session of an older one is over.
    pub epoch: i32,
    /// From which address.
    pub ip: String,
    /// With which program.
    pub user_agent: String,
}

/// A session as its owner may see it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// Which.
    pub id: SessionId,
    /// Whose.
    pub user: UserId,
    /// The user's epoch when it began.
    pub epoch: i32,
    /// The address of the sign-in.
    pub ip: String,
    /// The program of the sign-in.
    pub user_agent: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
    /// When its token was last exchanged.
    pub used_at: DateTime<Utc>,
    /// When its present token expires.
    pub expires_at: DateTime<Utc>,
}

/// What became of a presented refresh token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exchange {
    /// Good: this is the next one.
    Exchanged(RefreshToken),
    /// It had been exchanged before: its session is over now.
    Reused,
    /// Expired, revoked or invented.
    Unknown,
}

impl Tokens {
    /// Sessions in this Redis; access tokens live for `access_life`.
    pub fn new(redis: Redis, config: Config, access_life: Duration) -> Self {
        Self {
            redis,
            config,
            access_life,
        }
    }

    /// Begins a session and gives its first token.
    pub async fn open(
        &self,
        new: NewSession,
        now: DateTime<Utc>,
    ) -> Result<RefreshToken, RedisError> {
        let token = RefreshToken::first(SessionId::new());
        let expires = now + TimeDelta::from_std(LIFE).unwrap_or_default();
        let mut invocation = OPEN.key(self.session_key(token.session));
        invocation.key(self.list_key(new.user));
        invocation
            .arg(milliseconds(LIFE))
            .arg(token.session.to_string());
        invocation
            .arg(now.timestamp_millis())
            .arg(expires.timestamp_millis());
        let fields = [
            ("user", new.user.to_string()),
            ("epoch", new.epoch.to_string()),
            ("ip", new.ip),
            ("agent", new.user_agent),
            ("created", now.timestamp_millis().to_string()),
            ("used", now.timestamp_millis().to_string()),
            ("expires", expires.timestamp_millis().to_string()),
            ("family", hex::encode(token.family.hash())),
            ("current", hex::encode(token.secret.hash())),
        ];
        for (name, value) in fields {
            invocation.arg(name).arg(value);
        }
        invocation
            .invoke_async::<()>(&mut self.redis.clone())
            .await?;
        Ok(token)
    }

    /// The session as it stands.
    pub async fn find(&self, id: SessionId) -> Result<Option<Session>, RedisError> {
        let fields = self.redis.clone().hgetall(self.session_key(id)).await?;
        Ok(read(id, &fields))
    }

    /// Exchanges a token of `user`'s for the next one. Of two that present the same, one gets it,
    /// and the other ends the session.
    pub async fn exchange(
        &self,
        token: &RefreshToken,
        user: UserId,
        now: DateTime<Utc>,
    ) -> Result<Exchange, RedisError> {
        let next = token.next();
        let expires = now + TimeDelta::from_std(LIFE).unwrap_or_default();
        let mut invocation = EXCHANGE.key(self.session_key(token.session));
        invocation
            .key(self.list_key(user))
            .key(self.ended_key(token.session));
        invocation
            .arg(hex::encode(token.family.hash()))
            .arg(hex::encode(token.secret.hash()));
        invocation
            .arg(hex::encode(next.secret.hash()))
            .arg(now.timestamp_millis());
        invocation
            .arg(expires.timestamp_millis())
            .arg(milliseconds(LIFE));
        invocation
            .arg(token.session.to_string())
            .arg(milliseconds(self.access_life));
        let outcome: String = invocation.invoke_async(&mut self.redis.clone()).await?;
        Ok(match outcome.as_str() {
            "exchanged" => Exchange::Exchanged(next),
            "reused" => Exchange::Reused,
            _ => Exchange::Unknown,
        })
    }

    /// Whether the token belongs to its session, be it the current one or a former one.
    pub async fn belongs(&self, token: &RefreshToken) -> Result<bool, RedisError> {
        let family: Option<String> = self
            .redis
            .clone()
            .hget(self.session_key(token.session), "family")
            .await?;
        Ok(family.is_some_and(|family| family == hex::encode(token.family.hash())))
    }

    /// The user's sessions, the one used last first.
    pub async fn list(&self, user: UserId, now: DateTime<Utc>) -> Result<Vec<Session>, RedisError> {
        let mut redis = self.redis.clone();
        let listed: Vec<String> = redis
            .zrangebyscore(self.list_key(user), now.timestamp_millis(), "+inf")
            .await?;
        let ids: Vec<SessionId> = listed.iter().filter_map(|id| id.parse().ok()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut all = redis::pipe();
        for id in &ids {
            all.hgetall(self.session_key(*id));
        }
        let found: Vec<HashMap<String, String>> = all.query_async(&mut redis).await?;
        let mut sessions: Vec<Session> = ids
            .iter()
            .zip(&found)
            .filter_map(|(id, fields)| read(*id, fields))
            .collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.used_at));
        Ok(sessions)
    }

    /// Ends a session of the user's, its access tokens included; says whether there was one.
    pub async fn revoke(&self, user: UserId, id: SessionId) -> Result<bool, RedisError> {
        let mut invocation = REVOKE.key(self.session_key(id));
        invocation.key(self.list_key(user)).key(self.ended_key(id));
        invocation
            .arg(id.to_string())
            .arg(milliseconds(self.access_life));
        let listed: u32 = invocation.invoke_async(&mut self.redis.clone()).await?;
        Ok(listed > 0)
    }

    /// Ends all of the user's sessions.
    pub async fn revoke_all(&self, user: UserId) -> Result<(), RedisError> {
        let mut redis = self.redis.clone();
        let listed: Vec<String> = redis.zrange(self.list_key(user), 0, -1).await?;
        for id in listed.iter().filter_map(|id| id.parse().ok()) {
            self.revoke(user, id).await?;
        }
        Ok(())
    }

    fn session_key(&self, id: SessionId) -> String {
        self.config.key(&format!("session:{id}"))
    }

    fn list_key(&self, user: UserId) -> String {
        self.config.key(&format!("sessions:{user}"))
    }

    /// Where it says that a session was ended.
    pub(crate) fn ended_key(&self, id: SessionId) -> String {
        self.config.key(&format!("ended:{id}"))
    }
}

fn read(id: SessionId, fields: &HashMap<String, String>) -> Option<Session> {
    let time = |name| DateTime::from_timestamp_millis(fields.get(name)?.parse().ok()?);
    Some(Session {
        id,
        user: fields.get("user")?.parse().ok()?,
        epoch: fields.get("epoch")?.parse().ok()?,
        ip: fields.get("ip")?.clone(),
        user_agent: fields.get("agent")?.clone(),
        created_at: time("created")?,
        used_at: time("used")?,
        expires_at: time("expires")?,
    })
}
