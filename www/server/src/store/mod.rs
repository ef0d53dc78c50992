//! All state that outlives a request, behind one trait: SQLite for one machine; PostgreSQL, Redis or a Redis
//! Cluster for several.
//!
//! The store never contains tokens, only their digests: someone who reads the store cannot use what it
//! contains. The secrets in it are the signing keys and second factors; they are sealed if the server has a
//! key secret (`sealing.rs`).
//!
//! Two rules make it safe to call from several instances over an unreliable network:
//!
//! * The store decides, in one step, by its own clock. Everything for an answer is read and written in the
//!   same transaction or script, so nothing comes between, and instances whose clocks differ agree.
//! * A failed call may have been carried out. So every call can be repeated: with the same arguments it does
//!   nothing new.
//!
//! Expired entries must not be found; when to remove them is up to the store.

pub mod place;
mod postgres;
mod redis;
mod sqlite;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::clock::Clock;
pub use place::Key;

/// How long any call may take. After that its outcome is unknown, and the answer is 503.
const PATIENCE: Duration = Duration::from_secs(3);

/// The store could not be reached. Contains its library's message, which has no values in it.
#[derive(Clone, Debug)]
pub struct StoreError(pub String);

impl StoreError {
    fn late(store: &str) -> Self {
        Self(format!("{store}: no answer in {} seconds", PATIENCE.as_secs()))
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

#[derive(Clone)]
pub struct User {
    pub name: String,
    pub password_hash: String,
    pub roles: Vec<String>,
    /// The sealed secret of a second factor (`totp.rs`), or empty.
    pub second_factor: String,
}

pub enum Account {
    Known(User),
    Unknown,
    /// The store lacks everything that it was given at the start (`Store::seed`): it lost its memory.
    Forgotten,
}

/// One login and all refresh tokens that descend from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    pub id: String,
    pub user: String,
    pub client: String,
    /// The facts of the login (`auth/session.rs`). The store keeps them, and does not read them.
    pub details: String,
}

/// A living family, and when it was last used.
pub struct LiveFamily {
    pub family: Family,
    pub used_at: u64,
}

/// The access token to issue in the same step.
#[derive(Clone, Copy)]
pub struct NewAccess<'a> {
    pub jti: &'a str,
    /// The digest of an opaque token, under which the store keeps its contents.
    pub opaque: Option<&'a str>,
    /// Milliseconds, like all times here.
    pub ttl: u64,
}

pub struct NewFamily<'a> {
    pub family: &'a Family,
    pub refresh: &'a Key,
    pub refresh_ttl: u64,
    pub access: NewAccess<'a>,
}

/// The contents of an access token at the moment of issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub family: Family,
    pub roles: Vec<String>,
    pub jti: String,
    /// The sum of the access marks (see `Store::revoke`).
    pub revision: u64,
    pub issued_at: u64,
    /// A whole second, rounded up, so that the token lives at least as long as promised.
    pub expires_at: u64,
}

pub struct Exchange<'a> {
    /// The refresh token that came, and its successor, in the same place.
    pub old: &'a Key,
    pub new: &'a Key,
    /// The new token, sealed so that only the owner of the old one can read it (`auth/successor.rs`).
    pub sealed: &'a str,
    pub refresh_ttl: u64,
    /// How long after its first use the old token may be used again. It then leads to the same successor.
    pub grace: u64,
    pub access: NewAccess<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Exchanged {
    Granted {
        grant: Grant,
        /// The old token's successor: the new one, or the one from its first use.
        sealed: String,
        /// Used before, within the grace.
        again: bool,
    },
    /// The token had been used before. The family has ended; `now_ended`: this reuse ended it.
    Reused { now_ended: bool },
    /// Unknown, expired, revoked, or of an ended family or a removed user.
    Refused { now_ended: bool },
}

/// Whether an access token is still good, and at what time.
#[derive(Debug, PartialEq, Eq)]
pub struct Standing {
    pub now: u64,
    /// Its family has ended, its `jti` is denied, or one of its groups was revoked.
    pub revoked: bool,
}

pub enum Group<'a> {
    Everybody,
    User(&'a str),
    Client(&'a str),
}

/// How often something was counted in its window of time, and how long the window lasts.
pub struct Hits {
    pub count: u64,
    pub resets_in: u64,
}

#[async_trait]
pub trait Store: Send + Sync {
    async fn put_user(&self, user: &User) -> Result<()>;
    async fn account(&self, name: &str) -> Result<Account>;
    /// Marks the store as having its accounts, and adds missing ones. Until then, and after the store lost
    /// its memory, unknown names are `Forgotten`. An existing account stays as it is, except that an unsealed
    /// second factor (`sealing.rs`) is replaced by a sealed one.
    async fn seed(&self, users: &[User]) -> Result<()>;

    /// The signing keys that all instances share (`tokens/keys.rs`), as one text. `None`: no keys yet.
    async fn keyring(&self) -> Result<Option<String>>;
    /// Replaces `old` with `new`, if `old` is current. Returns the text that is current afterwards.
    async fn replace_keyring(&self, old: Option<&str>, new: &str) -> Result<String>;

    /// Opens a family with its first refresh token and access token. `None`: the user is gone.
    async fn open_family(&self, new: NewFamily<'_>) -> Result<Option<Grant>>;
    /// The living family of a refresh token, used or not.
    async fn family(&self, token: &Key) -> Result<Option<Family>>;
    /// All living families of a user.
    async fn families(&self, user: &str) -> Result<Vec<LiveFamily>>;
    /// Exchanges a refresh token for its successor and an access token. Of any number of parallel calls with
    /// one token, exactly one is the first, and without a grace only that one succeeds. A repeated call with
    /// the same `new`, while that is unused, gets the same result: only the original caller knows `new`.
    async fn exchange(&self, exchange: Exchange<'_>) -> Result<Exchanged>;
    /// Ends a family and with it every access token issued in it. Returns whether there was one to end.
    async fn end_family(&self, user: &str, id: &str) -> Result<bool>;

    /// The contents of an opaque access token, if it has not expired.
    async fn access(&self, token: &Key) -> Result<Option<(Grant, Standing)>>;
    async fn standing(&self, family: &Family, jti: &str, revision: u64) -> Result<Standing>;

    /// The denylist: ids of access tokens, kept until those tokens have expired anyway.
    async fn deny(&self, user: &str, jti: &str, until: u64) -> Result<()>;

    /// Revokes the access tokens of a whole group, and with `sessions` its refresh tokens, too.
    ///
    /// Marks count such revocations: a token stores the sum of its groups' marks, and is good while the sum
    /// stays the same. So one write revokes any number of tokens at once, and no list of them is kept.
    async fn revoke(&self, group: Group<'_>, sessions: bool) -> Result<()>;

    /// Adds to the count under `key`: one, minus one, or with 0 nothing. The window starts with the first
    /// count.
    async fn hit(&self, key: &str, by: i64, window: u64) -> Result<Hits>;

    /// Whether `use_id` is the first use of `what`, which is remembered for `kept`. Of any number of parallel
    /// uses exactly one is the first, and a repeated call gets the same answer.
    async fn first_use(&self, what: &str, use_id: &str, kept: u64) -> Result<bool>;

    /// Removes expired entries.
    async fn purge(&self) -> Result<()>;
    /// Whether the store answers now, and would accept writes.
    async fn ready(&self) -> Result<()>;
}

/// The marks whose sum is a token's revision: `access` or `refresh`.
fn marks(of: &str, user: &str, client: &str) -> [String; 3] {
    [of.to_owned(), format!("{of}:user:{user}"), format!("{of}:client:{client}")]
}

/// The marks that a revocation increases.
fn raised(group: &Group<'_>, sessions: bool) -> Vec<String> {
    let kinds: &[&str] = if sessions { &["refresh", "access"] } else { &["access"] };
    let name = |of: &&str| match group {
        Group::Everybody => (*of).to_owned(),
        Group::User(user) => format!("{of}:user:{user}"),
        Group::Client(client) => format!("{of}:client:{client}"),
    };
    kinds.iter().map(name).collect()
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

pub const URLS: &str = "sqlite::memory:, sqlite:FILE, postgres://HOST/DATABASE, redis://HOST, \
                        redis+sentinel://HOST:PORT,HOST:PORT/PRIMARY or \
                        redis+cluster://HOST:PORT,HOST:PORT";

/// Whether a URL names a store.
pub fn is_url(url: &str) -> bool {
    [
        "sqlite:",
        "postgres://",
        "postgresql://",
        "redis://",
        "rediss://",
        "redis+sentinel://",
        "redis+cluster://",
        "rediss+cluster://",
    ]
    .iter()
    .any(|scheme| url.strip_prefix(scheme).is_some_and(|rest| !rest.is_empty()))
}

/// Opens the store that a URL names. For tests, `clock` replaces the store's own.
pub async fn open(url: &str, clock: Option<Clock>) -> Result<Arc<dyn Store>> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        return Ok(Arc::new(sqlite::Sqlite::open(file, clock)?));
    }
    // Whatever library speaks TLS uses the process's cryptography provider: a second provider in the build
    // would leave no default. An error means that one was already installed.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    Ok(match scheme {
        "postgres" | "postgresql" => Arc::new(postgres::Postgres::open(url, clock).await?),
        "redis" | "rediss" => Arc::new(redis::Redis::single(url, clock).await?),
        "redis+sentinel" => Arc::new(redis::Redis::sentinel(rest, clock).await?),
        "redis+cluster" => Arc::new(redis::Redis::cluster("redis", rest, clock).await?),
        "rediss+cluster" => Arc::new(redis::Redis::cluster("rediss", rest, clock).await?),
        _ => return Err(StoreError(format!("a store is {URLS}"))),
    })
}
