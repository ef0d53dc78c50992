//! The store in Redis, for several instances behind one address. Every key that can expire has a TTL, so
//! Redis clears away by itself; whether something has expired is still decided by the server's clock.
//!
//! What reads and then writes is a script: Redis runs scripts one at a time, which is what makes `rotate`
//! atomic. The scripts make up key names, so this needs one Redis (or a primary with replicas), not a
//! cluster.

use async_trait::async_trait;
use redis::{
    AsyncCommands, Client, FromRedisValue, RedisError, Script, aio::ConnectionManager,
    aio::ConnectionManagerConfig, pipe,
};
use std::time::Duration;

use super::{Family, Result, Rotate, Rotation, Store, StoreError, User};

const PREFIX: &str = "tokenkeep:";

/// KEYS: the family, the token. ARGV: id, user, client, revision, expires_at, ttl.
const OPEN: &str = "
    redis.call('HSET', KEYS[1], 'id', ARGV[1], 'user', ARGV[2], 'client', ARGV[3], 'revision', ARGV[4])
    redis.call('PEXPIRE', KEYS[1], ARGV[6])
    redis.call('HSET', KEYS[2], 'family', ARGV[1], 'expires_at', ARGV[5])
    redis.call('PEXPIRE', KEYS[2], ARGV[6])
";

/// KEYS: the token. ARGV: the families' prefix, now. Answers id, user, client, revision; or nothing.
const FIND: &str = "
    local token = redis.call('HMGET', KEYS[1], 'family', 'expires_at')
    if not token[1] or tonumber(token[2]) <= tonumber(ARGV[2]) then return {} end
    local family = redis.call('HMGET', ARGV[1] .. token[1], 'id', 'user', 'client', 'revision', 'ended')
    if not family[1] or family[5] then return {} end
    return {family[1], family[2], family[3], family[4]}
";

/// KEYS: the old token, the new one. ARGV: the families' prefix, now, grace, expires_at, ttl.
/// Answers {} unknown, {family, now_ended} reused, {id, user, client, revision} rotated.
const ROTATE: &str = "
    local now = tonumber(ARGV[2])
    local token = redis.call('HMGET', KEYS[1], 'family', 'expires_at', 'used_at')
    if not token[1] or tonumber(token[2]) <= now then return {} end
    local key = ARGV[1] .. token[1]
    local family = redis.call('HMGET', key, 'id', 'user', 'client', 'revision', 'ended')
    local alive = family[1] and not family[5]
    if token[3] and now >= tonumber(token[3]) + tonumber(ARGV[3]) then
        if not alive then return {token[1], '0'} end
        redis.call('HSET', key, 'ended', '1')
        return {token[1], '1'}
    end
    if not alive then return {} end
    redis.call('HSETNX', KEYS[1], 'used_at', ARGV[2])
    redis.call('HSET', KEYS[2], 'family', token[1], 'expires_at', ARGV[4])
    redis.call('PEXPIRE', KEYS[2], ARGV[5])
    redis.call('PEXPIRE', key, ARGV[5])
    return {family[1], family[2], family[3], family[4]}
";

/// KEYS: the family. Answers whether it was alive.
const END: &str = "
    if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    return redis.call('HSETNX', KEYS[1], 'ended', '1')
";

/// KEYS: the count. ARGV: ttl.
const HIT: &str = "
    local count = redis.call('INCR', KEYS[1])
    if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
    return count
";

pub struct Redis(ConnectionManager);

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        Self(format!("redis: {error}"))
    }
}

impl Redis {
    pub async fn open(url: &str) -> Result<Self> {
        // A request waits a moment for a lost connection to come back, then is answered 503.
        let patience = ConnectionManagerConfig::new()
            .set_number_of_retries(2)
            .set_connection_timeout(Some(Duration::from_secs(2)))
            .set_response_timeout(Some(Duration::from_secs(2)));
        let client = Client::open(url)?;
        let manager = client.get_connection_manager_with_config(patience).await?;
        Ok(Self(manager))
    }

    /// Connections are shared and cheap to clone: commands of all requests go down one of them.
    fn connection(&self) -> ConnectionManager {
        self.0.clone()
    }

    async fn run<T: FromRedisValue>(
        &self,
        script: &str,
        keys: &[String],
        arguments: &[&str],
    ) -> Result<T> {
        let script = Script::new(script);
        let mut call = script.prepare_invoke();
        for key in keys {
            call.key(key);
        }
        for argument in arguments {
            call.arg(*argument);
        }
        Ok(call.invoke_async(&mut self.connection()).await?)
    }

    async fn set_until(&self, key: String, value: &str, now: u64, until: u64) -> Result<()> {
        let () = self.connection().pset_ex(key, value, ttl(now, until)).await?;
        Ok(())
    }
}

fn key(kind: &str, name: &str) -> String {
    format!("{PREFIX}{kind}:{name}")
}

/// Redis refuses a TTL of 0.
fn ttl(now: u64, until: u64) -> u64 {
    until.saturating_sub(now).max(1)
}

fn family_of(fields: &[String]) -> Option<Family> {
    let [id, user, client, revision] = fields else {
        return None;
    };
    Some(Family {
        id: id.clone(),
        user: user.clone(),
        client: client.clone(),
        revision: revision.parse().ok()?,
    })
}

#[async_trait]
impl Store for Redis {
    async fn put_user(&self, user: &User) -> Result<()> {
        let fields =
            [("password_hash", user.password_hash.clone()), ("roles", user.roles.join(" "))];
        let () = self.connection().hset_multiple(key("user", &user.name), &fields).await?;
        Ok(())
    }

    async fn user(&self, name: &str) -> Result<Option<User>> {
        let (hash, roles): (Option<String>, Option<String>) =
            self.connection().hmget(key("user", name), &["password_hash", "roles"]).await?;
        Ok(hash.map(|password_hash| User {
            name: name.to_owned(),
            password_hash,
            roles: roles.unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        }))
    }

    async fn shared_key(&self, fresh: [u8; 32]) -> Result<[u8; 32]> {
        let name = key("signing", "key");
        let (bytes,): (Vec<u8>,) = pipe()
            .atomic()
            .set_nx(&name, &fresh[..])
            .ignore()
            .get(&name)
            .query_async(&mut self.connection())
            .await?;
        bytes.try_into().map_err(|_| StoreError("redis: the signing key has a wrong length".into()))
    }

    async fn open_family(
        &self,
        family: &Family,
        token: &str,
        now: u64,
        expires_at: u64,
    ) -> Result<()> {
        self.run(
            OPEN,
            &[key("family", &family.id), key("refresh", token)],
            &[
                &family.id,
                &family.user,
                &family.client,
                &family.revision.to_string(),
                &expires_at.to_string(),
                &ttl(now, expires_at).to_string(),
            ],
        )
        .await
    }

    async fn family(&self, token: &str, now: u64) -> Result<Option<Family>> {
        let fields: Vec<String> = self
            .run(FIND, &[key("refresh", token)], &[&key("family", ""), &now.to_string()])
            .await?;
        Ok(family_of(&fields))
    }

    async fn rotate(&self, rotate: Rotate<'_>) -> Result<Rotation> {
        let fields: Vec<String> = self
            .run(
                ROTATE,
                &[key("refresh", rotate.old), key("refresh", rotate.new)],
                &[
                    &key("family", ""),
                    &rotate.now.to_string(),
                    &rotate.grace.to_string(),
                    &rotate.new_expires_at.to_string(),
                    &ttl(rotate.now, rotate.new_expires_at).to_string(),
                ],
            )
            .await?;
        Ok(match fields.as_slice() {
            [family, now_ended] => {
                Rotation::Reused { family: family.clone(), now_ended: now_ended == "1" }
            }
            fields => family_of(fields).map_or(Rotation::Unknown, Rotation::Rotated),
        })
    }

    async fn end_family(&self, id: &str) -> Result<bool> {
        self.run(END, &[key("family", id)], &[]).await
    }

    async fn put_access(&self, token: &str, record: &str, now: u64, expires_at: u64) -> Result<()> {
        let value = format!("{expires_at} {record}");
        self.set_until(key("access", token), &value, now, expires_at).await
    }

    async fn access(&self, token: &str, now: u64) -> Result<Option<String>> {
        let value: Option<String> = self.connection().get(key("access", token)).await?;
        Ok(value.and_then(|value| {
            let (expires_at, record) = value.split_once(' ')?;
            (expires_at.parse::<u64>().ok()? > now).then(|| record.to_owned())
        }))
    }

    async fn deny(&self, id: &str, now: u64, until: u64) -> Result<()> {
        self.set_until(key("denied", id), &until.to_string(), now, until).await
    }

    async fn any_denied(&self, ids: &[&str], now: u64) -> Result<bool> {
        let keys: Vec<String> = ids.iter().map(|id| key("denied", id)).collect();
        let until: Vec<Option<u64>> = self.connection().mget(keys).await?;
        Ok(until.into_iter().flatten().any(|until| until > now))
    }

    async fn bump(&self, mark: &str) -> Result<()> {
        let () = self.connection().incr(key("mark", mark), 1).await?;
        Ok(())
    }

    async fn sum(&self, marks: &[String]) -> Result<u64> {
        let keys: Vec<String> = marks.iter().map(|mark| key("mark", mark)).collect();
        let counts: Vec<Option<u64>> = self.connection().mget(keys).await?;
        Ok(counts.into_iter().flatten().sum())
    }

    async fn hit(&self, name: &str, now: u64, until: u64) -> Result<u64> {
        self.run(HIT, &[key("hits", name)], &[&ttl(now, until).to_string()]).await
    }

    /// Redis does that itself.
    async fn purge(&self, _now: u64) -> Result<()> {
        Ok(())
    }
}
