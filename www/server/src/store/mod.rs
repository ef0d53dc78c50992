//! All that outlives a request, behind one trait: SQLite for one machine; PostgreSQL, Redis or a Redis
//! Cluster for several.
//!
//! Tokens are never in here, only their digests: who reads the store cannot use what he reads. The secrets in
//! it are the signing keys and second factors; they are sealed if the server has a key secret (`sealing.rs`).
//!
//! Two rules make it safe to ask from several instances over a network that fails:
//!
//! * The store decides, in one step, by its own clock. What an answer needs is read and written in the
//!   same transaction or script, so nothing comes between, and instances whose clocks differ agree.
//! * A call that failed may have been carried out. So each of them can be made again: with the same
//!   arguments it does nothing new.
//!
//! What has expired must not be found; when it is cleared away is the store's business.

pub mod place;
mod postgres;
mod redis;
mod sqlite;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::clock::Clock;
pub use place::Key;

/// How long any call may take. After that its outcome is in doubt, and the answer is 503.
const PATIENCE: Duration = Duration::from_secs(3);

/// The store could not be asked. Holds what its library said, which has no values in it.
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
    /// The sealed secret of a second factor (`totp.rs`), or nothing.
    pub second_factor: String,
}

pub enum Account {
    Known(User),
    Unknown,
    /// The store has nothing of what it was given at the start (`Store::seed`): it lost its memory.
    Forgotten,
}

/// One login and all the refresh tokens that descend from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    pub id: String,
    pub user: String,
    pub client: String,
    /// What was so at the login (`auth/session.rs`). The store keeps it, and does not look into it.
    pub details: String,
}

/// A family that lives, and when it was last used.
pub struct LiveFamily {
    pub family: Family,
    pub used_at: u64,
}

/// The access token that is to be issued in the same step.
#[derive(Clone, Copy)]
pub struct NewAccess<'a> {
    pub jti: &'a str,
    /// The digest of an opaque token, under which the store keeps what it says.
    pub opaque: Option<&'a str>,
    /// Milliseconds, as all times are here.
    pub ttl: u64,
}

pub struct NewFamily<'a> {
    pub family: &'a Family,
    pub refresh: &'a Key,
    pub refresh_ttl: u64,
    pub access: NewAccess<'a>,
}

/// What an access token says, as it stood in the step that issued it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub family: Family,
    pub roles: Vec<String>,
    pub jti: String,
    /// The sum of the access marks (see `Store::revoke`).
    pub revision: u64,
    pub issued_at: u64,
    /// A whole second, rounded up, so that the token lives at least as long as it was promised to.
    pub expires_at: u64,
}

pub struct Exchange<'a> {
    /// The refresh token that came, and the one that takes its place, in the same place.
    pub old: &'a Key,
    pub new: &'a Key,
    /// The new one, sealed so that only who has the old one can read it (`auth/successor.rs`).
    pub sealed: &'a str,
    pub refresh_ttl: u64,
    /// How long after its first use the old one may be used again. It then leads to the same successor.
    pub grace: u64,
    pub access: NewAccess<'a>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Exchanged {
    Granted {
        grant: Grant,
        /// The successor that the old token has: the new one, or that of its first use.
        sealed: String,
        /// Used before, within the grace.
        again: bool,
    },
    /// The token had been used before. The family has ended; `now_ended`: it is this reuse that ended it.
    Reused { now_ended: bool },
    /// Never known, expired, revoked, of a family that has ended or of a user who is gone.
    Refused { now_ended: bool },
}

/// Whether an access token is still good, and by which time.
#[derive(Debug, PartialEq, Eq)]
pub struct Standing {
    pub now: u64,
    /// Its family has ended, its `jti` is denied, or a group that it is in was revoked.
    pub revoked: bool,
}

pub enum Group<'a> {
    Everybody,
    User(&'a str),
    Client(&'a str),
}

/// How often something was counted in its window of time, and how long until the next one.
pub struct Hits {
    pub count: u64,
    pub resets_in: u64,
}

#[async_trait]
pub trait Store: Send + Sync {
    async fn put_user(&self, user: &User) -> Result<()>;
    async fn account(&self, name: &str) -> Result<Account>;
    /// Notes that the store has its accounts, and adds those that it has not. Until then, and after it
    /// forgot, unknown names are `Forgotten`. An account that is there stays as it is, but for an unsealed
    /// second factor (`sealing.rs`), which gives way to a sealed one.
    async fn seed(&self, users: &[User]) -> Result<()>;

    /// The signing keys that all instances share (`tokens/keys.rs`), as one text. None: none yet.
    async fn keyring(&self) -> Result<Option<String>>;
    /// Puts `new` in the place of `old`, if that is what is there; answers what is there then.
    async fn replace_keyring(&self, old: Option<&str>, new: &str) -> Result<String>;

    /// Opens a family with its first refresh token and access token. Nothing: the user is gone.
    async fn open_family(&self, new: NewFamily<'_>) -> Result<Option<Grant>>;
    /// The living family that a refresh token, used or not, belongs to.
    async fn family(&self, token: &Key) -> Result<Option<Family>>;
    /// All living families of a user.
    async fn families(&self, user: &str) -> Result<Vec<LiveFamily>>;
    /// A refresh token against its successor and an access token. Of any number of parallel calls with
    /// one token exactly one is the first, and without a grace the only one that is granted. Made again
    /// with the same `new`, as long as that is unused, it gives the same: who has `new` made it up.
    async fn exchange(&self, exchange: Exchange<'_>) -> Result<Exchanged>;
    /// Ends a family and with it every access token that was issued in it. Whether there was one to end.
    async fn end_family(&self, user: &str, id: &str) -> Result<bool>;

    /// What an opaque access token says, if it has not expired.
    async fn access(&self, token: &Key) -> Result<Option<(Grant, Standing)>>;
    async fn standing(&self, family: &Family, jti: &str, revision: u64) -> Result<Standing>;

    /// The denylist: ids of access tokens, kept until what they name has expired anyway.
    async fn deny(&self, user: &str, jti: &str, until: u64) -> Result<()>;

    /// Revokes the access tokens of a whole group, and with `sessions` its refresh tokens too.
    ///
    /// Marks count such revocations: a token remembers the sum of its groups' marks, and is good as long
    /// as the sum is the same. So one write revokes any number of tokens at once, and there is no list of
    /// them to keep.
    async fn revoke(&self, group: Group<'_>, sessions: bool) -> Result<()>;

    /// Counts under `key`: one more, one less, or with 0 none. The window starts with the first.
    async fn hit(&self, key: &str, by: i64, window: u64) -> Result<Hits>;

    /// Whether `use_id` is the first use of `what`, which is remembered for `kept`. Of any number of parallel uses
    /// exactly one is the first, and stays it when the call is made again.
    async fn first_use(&self, what: &str, use_id: &str, kept: u64) -> Result<bool>;

    /// Clears away what has expired.
    async fn purge(&self) -> Result<()>;
    /// Whether the store answers now, and would write.
    async fn ready(&self) -> Result<()>;
}

/// The marks whose sum is a token's revision: `access` or `refresh`.
fn marks(of: &str, user: &str, client: &str) -> [String; 3] {
    [of.to_owned(), format!("{of}:user:{user}"), format!("{of}:client:{client}")]
}

/// The marks that a revocation raises.
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

/// Opens the store that a URL names. A `clock` takes the place of the store's own: for tests.
pub async fn open(url: &str, clock: Option<Clock>) -> Result<Arc<dyn Store>> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        return Ok(Arc::new(sqlite::Sqlite::open(file, clock)?));
    }
    // Whoever speaks TLS takes the process's cryptography: a second provider in the build would leave them
    // without a choice. An error says that it was installed before.
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
