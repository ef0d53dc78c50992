//! All that outlives a request, behind one small trait: SQLite for one instance, Redis for several.
//!
//! Tokens are never in here, only their digests: who reads the store cannot use what he reads. The one
//! secret is the signing key, so guard the store as you would guard that key.
//!
//! The time comes from the caller (milliseconds since the epoch), so that both stores and the tests
//! agree on it. What has expired must not be found; when it is cleared away is the store's business.

mod redis;
mod sqlite;

use std::{fmt, sync::Arc};

use async_trait::async_trait;

/// The store could not be asked. Holds what its library said, which has no values in it.
#[derive(Clone, Debug)]
pub struct StoreError(pub String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

pub struct User {
    pub name: String,
    pub password_hash: String,
    pub roles: Vec<String>,
}

/// One login and all the refresh tokens that descend from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Family {
    pub id: String,
    pub user: String,
    pub client: String,
    /// The sum of the refresh marks at the login (see `Store::bump`).
    pub revision: u64,
}

pub struct Rotate<'a> {
    /// The digest of the token that came.
    pub old: &'a str,
    /// The digest of the one that takes its place.
    pub new: &'a str,
    pub now: u64,
    pub new_expires_at: u64,
    pub grace: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Rotation {
    Rotated(Family),
    /// The token had been used before. The family has ended; `now_ended`: it is this reuse that ended it.
    Reused {
        family: String,
        now_ended: bool,
    },
    /// Never known, expired, or of a family that has ended.
    Unknown,
}

#[async_trait]
pub trait Store: Send + Sync {
    async fn put_user(&self, user: &User) -> Result<()>;
    async fn user(&self, name: &str) -> Result<Option<User>>;

    /// The key all instances share: `fresh` if there was none yet, else the one there is.
    async fn shared_key(&self, fresh: [u8; 32]) -> Result<[u8; 32]>;

    /// Opens a family with its first refresh token.
    async fn open_family(
        &self,
        family: &Family,
        token: &str,
        now: u64,
        expires_at: u64,
    ) -> Result<()>;
    /// The living family that a refresh token, used or not, belongs to.
    async fn family(&self, token: &str, now: u64) -> Result<Option<Family>>;
    /// Must be atomic: of any number of parallel calls with one token exactly one is `Rotated`.
    async fn rotate(&self, rotate: Rotate<'_>) -> Result<Rotation>;
    /// Whether there was one to end.
    async fn end_family(&self, id: &str) -> Result<bool>;

    /// What an opaque access token stands for.
    async fn put_access(&self, token: &str, record: &str, now: u64, expires_at: u64) -> Result<()>;
    async fn access(&self, token: &str, now: u64) -> Result<Option<String>>;

    /// The denylist: ids of tokens and of families, kept until what they name has expired anyway.
    async fn deny(&self, id: &str, now: u64, until: u64) -> Result<()>;
    async fn any_denied(&self, ids: &[&str], now: u64) -> Result<bool>;

    /// Marks count revocations of whole groups: a token remembers the sum of its groups' marks, and is
    /// good as long as the sum is the same. So one write revokes any number of tokens at once, and
    /// there is no list of them to keep.
    async fn bump(&self, mark: &str) -> Result<()>;
    async fn sum(&self, marks: &[String]) -> Result<u64>;

    /// Counts one more under `key`, until `until`; answers the count.
    async fn hit(&self, key: &str, now: u64, until: u64) -> Result<u64>;

    /// Clears away what has expired.
    async fn purge(&self, now: u64) -> Result<()>;
}

/// Opens the store that a URL names.
pub async fn open(url: &str) -> Result<Arc<dyn Store>> {
    if let Some(file) = url.strip_prefix("sqlite:") {
        Ok(Arc::new(sqlite::Sqlite::open(file)?))
    } else if url.starts_with("redis://") {
        Ok(Arc::new(redis::Redis::open(url).await?))
    } else {
        Err(StoreError("a store is sqlite::memory:, sqlite:FILE or redis://HOST".into()))
    }
}
