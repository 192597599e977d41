//! What can be configured about getting in, and how often somebody may ask.

use std::time::Duration;

use clap::ValueEnum;
use domain::auth::lockout::Lockout;
use secrecy::{ExposeSecret, SecretString};

/// Where this installation runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Environment {
    /// On a developer's machine: cookies travel over plain HTTP too.
    Development,
    /// Anywhere else.
    Production,
}

/// Who may use this installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Mode {
    /// People with accounts, who sign in.
    Accounts,
    /// Whoever reaches it, as its one local user, without signing in. Refused unless the server
    /// listens on loopback only and trusts no proxy.
    SingleUser,
}

/// Settings of sign-in and of rate limits.
#[derive(Debug, Clone, clap::Args)]
#[group(skip)]
pub struct Settings {
    /// Where this installation runs. In production the refresh cookie travels over HTTPS only.
    #[arg(long, env = "APP_ENV", value_enum, default_value_t = Environment::Production)]
    pub app_env: Environment,
    /// Whether people sign in, or one local user is let in without.
    #[arg(long, env = "AUTH_MODE", value_enum, default_value_t = Mode::Accounts)]
    pub auth_mode: Mode,
    /// Keys that sign access tokens, separated by commas: the first signs, all are accepted.
    /// Each has at least 32 characters.
    #[arg(long, env = "JWT_KEYS", hide_env_values = true, value_delimiter = ',')]
    pub jwt_keys: Vec<SecretString>,
    /// Seconds an access token is good.
    #[arg(long, env = "ACCESS_TOKEN_SECONDS", default_value_t = 900)]
    pub access_token_seconds: u32,
    /// What internal jobs send as X-Service-Key, at least 32 characters. Once set, /metrics
    /// answers to nobody else. Unset, no service key is accepted.
    #[arg(long, env = "SERVICE_KEY", hide_env_values = true)]
    pub service_key: Option<SecretString>,
    /// Passwords hashed at the same time; each takes 19 MiB and one processor.
    #[arg(long, env = "PASSWORD_HASHES_AT_ONCE", default_value_t = 4)]
    pub password_hashes_at_once: usize,
    /// Requests a minute of one signed-in user.
    #[arg(long, env = "RATE_LIMIT_USER", default_value_t = 1000)]
    pub rate_limit_user: u32,
    /// Requests a minute of one network address without sign-in.
    #[arg(long, env = "RATE_LIMIT_ADDRESS", default_value_t = 300)]
    pub rate_limit_address: u32,
    /// Attempts a minute of one network address to sign in, register or join.
    #[arg(long, env = "RATE_LIMIT_SIGN_IN", default_value_t = 20)]
    pub rate_limit_sign_in: u32,
    /// The wrong password in a row that is the first to lock an account for a while.
    #[arg(long, env = "LOCKOUT_ACCOUNT_FAILURES", default_value_t = 5)]
    pub lockout_account_failures: u32,
    /// The wrong password within a day that is the first to lock a network address for a while.
    #[arg(long, env = "LOCKOUT_ADDRESS_FAILURES", default_value_t = 50)]
    pub lockout_address_failures: u32,
    /// Seconds of the first lock; each further wrong password doubles them.
    #[arg(long, env = "LOCKOUT_FIRST_SECONDS", default_value_t = 30)]
    pub lockout_first_seconds: u64,
    /// Seconds of the longest lock.
    #[arg(long, env = "LOCKOUT_LONGEST_SECONDS", default_value_t = 3600)]
    pub lockout_longest_seconds: u64,
}

impl Settings {
    /// How long an access token is good.
    pub fn access_life(&self) -> Duration {
        Duration::from_secs(self.access_token_seconds.into())
    }

    /// The rule for wrong passwords of one account.
    pub fn account_lockout(&self) -> Lockout {
        self.lockout(self.lockout_account_failures)
    }

    /// The rule for wrong passwords from one network address.
    pub fn address_lockout(&self) -> Lockout {
        self.lockout(self.lockout_address_failures)
    }

    fn lockout(&self, threshold: u32) -> Lockout {
        Lockout {
            threshold,
            first: Duration::from_secs(self.lockout_first_seconds),
            longest: Duration::from_secs(self.lockout_longest_seconds),
        }
    }

    /// Forgets keys that were given empty.
    pub fn drop_blanks(&mut self) {
        self.jwt_keys.retain(|key| !key.expose_secret().is_empty());
        let is_blank = |key: &SecretString| key.expose_secret().is_empty();
        self.service_key.take_if(|key| is_blank(key));
    }

    /// Everything that is wrong with these settings, a sentence each.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        if self.auth_mode == Mode::Accounts && self.jwt_keys.is_empty() {
            faults.push("JWT_KEYS is missing: set at least one key of 32 characters or more, for example from `openssl rand -hex 32`".into());
        }
        if self.jwt_keys.iter().any(is_short) {
            faults.push("JWT_KEYS holds a key of fewer than 32 characters".into());
        }
        if self.service_key.as_ref().is_some_and(is_short) {
            faults.push("SERVICE_KEY has fewer than 32 characters".into());
        }
        if !(1..=86_400).contains(&self.access_token_seconds) {
            faults.push("ACCESS_TOKEN_SECONDS must be between 1 and 86400".into());
        }
        if self.lockout_first_seconds > self.lockout_longest_seconds {
            faults.push("LOCKOUT_FIRST_SECONDS exceeds LOCKOUT_LONGEST_SECONDS".into());
        }
        let counts = [
            ("PASSWORD_HASHES_AT_ONCE", self.password_hashes_at_once == 0),
            ("RATE_LIMIT_USER", self.rate_limit_user == 0),
            ("RATE_LIMIT_ADDRESS", self.rate_limit_address == 0),
            ("RATE_LIMIT_SIGN_IN", self.rate_limit_sign_in == 0),
            (
                "LOCKOUT_ACCOUNT_FAILURES",
                self.lockout_account_failures == 0,
            ),
            (
                "LOCKOUT_ADDRESS_FAILURES",
                self.lockout_address_failures == 0,
            ),
        ];
        faults.extend(
            counts
                .iter()
                .filter(|(_, is_zero)| *is_zero)
                .map(|(name, _)| format!("{name} must be at least 1")),
        );
        faults
    }
}

fn is_short(key: &SecretString) -> bool {
    key.expose_secret().chars().count() < 32
}
