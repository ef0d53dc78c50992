//! The store in Redis, for several instances behind one address: one Redis, the primary that Sentinels name,
//! or a cluster.
//!
//! Every call is a script, and every script stays in one place (see `place.rs`): the keys of a place share a
//! hash tag, so a cluster keeps them on one machine, and Redis runs one script at a time. That makes
//! `exchange` atomic, and Redis's clock decides. The marks of all users and of a client are kept in every
//! place, so that an exchange or a check finds them where it runs; increasing one of those, which is rare,
//! writes 256 keys.
//!
//! A failover to a replica loses the last writes, because Redis answers before its replicas have them: see
//! the README for the consequences.

mod connection;

use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use redis::{ErrorKind, FromRedisValue, RedisError, Script, ServerErrorKind};
use tokio::{task::JoinSet, time::timeout};

use super::{
    Account, Exchange, Exchanged, Family, Grant, Group, Hits, Key, LiveFamily, NewFamily, PATIENCE,
    Result, Standing, Store, StoreError, User, place, raised, words,
};
use crate::clock::Clock;
use connection::Link;

/// The prefix of all keys. A cluster's URL may name another, because a cluster has no numbered databases.
const NAME: &str = "tokenkeep";

macro_rules! scripts {
    ($($name:ident: $file:literal,)*) => {$(
        static $name: LazyLock<Code> =
            LazyLock::new(|| Code::new(concat!(include_str!("lib.lua"), include_str!($file))));
    )*};
}

scripts!(
    OPEN: "open.lua",
    FAMILY: "family.lua",
    EXCHANGE: "exchange.lua",
    END: "end.lua",
    ACCESS: "access.lua",
    STANDING: "standing.lua",
    DENY: "deny.lua",
    REVOKE: "revoke.lua",
    PUT_USER: "put_user.lua",
    ACCOUNT: "account.lua",
    SEED: "seed.lua",
    HIT: "hit.lua",
    KEYRING: "keyring.lua",
    FAMILIES: "families.lua",
    FIRST_USE: "first_use.lua",
);

struct Code {
    text: &'static str,
    sha1: String,
}

impl Code {
    fn new(text: &'static str) -> Self {
        Self { text, sha1: Script::new(text).get_hash().to_owned() }
    }
}

#[derive(Clone)]
pub struct Redis {
    link: Arc<Link>,
    name: String,
    clock: Option<Clock>,
}

impl From<RedisError> for StoreError {
    fn from(error: RedisError) -> Self {
        Self(format!("redis: {error}"))
    }
}

impl Redis {
    pub async fn single(url: &str, clock: Option<Clock>) -> Result<Self> {
        Ok(Self { link: Link::single(url).await?, name: NAME.to_owned(), clock })
    }

    /// `nodes`: `[user:password@]host:port,host:port…/name`, with the primary's name.
    pub async fn sentinel(nodes: &str, clock: Option<Clock>) -> Result<Self> {
        Ok(Self { link: Link::sentinel(nodes).await?, name: NAME.to_owned(), clock })
    }

    /// `nodes`: `[user:password@]host:port,host:port…[/name]`.
    pub async fn cluster(scheme: &str, nodes: &str, clock: Option<Clock>) -> Result<Self> {
        let (nodes, name) = nodes.split_once('/').unwrap_or((nodes, NAME));
        Ok(Self { link: Link::cluster(scheme, nodes).await?, name: name.to_owned(), clock })
    }

    /// The prefix of all keys of a place. The part in braces determines the machine.
    fn place(&self, place: u8) -> String {
        format!("{}:{{{place:02x}}}:", self.name)
    }

    fn place_of(&self, user: &str) -> String {
        self.place(place::of(user))
    }

    async fn run<T: FromRedisValue>(
        &self,
        code: &Code,
        key: &str,
        arguments: &[&[u8]],
    ) -> Result<T> {
        let now = self.clock.as_ref().map(|clock| clock.now().to_string()).unwrap_or_default();
        let command = |verb: &str, script: &str| {
            let mut command = redis::cmd(verb);
            command.arg(script).arg(1).arg(key).arg(&now);
            for argument in arguments {
                command.arg(*argument);
            }
            command
        };
        let mut connection = self.link.connection();
        let work = async {
            match connection.query(&command("EVALSHA", &code.sha1)).await {
                // A new Redis, or one that lost its memory, is sent the whole script, and keeps it.
                Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                    connection.query(&command("EVAL", code.text)).await
                }
                other => other,
            }
        };
        match timeout(PATIENCE, work).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                self.link.failed(Some(&error));
                Err(error.into())
            }
            Err(_) => {
                self.link.failed(None);
                Err(StoreError::late("redis"))
            }
        }
    }

    /// The same in every place, all at once.
    async fn everywhere(
        &self,
        code: &'static Code,
        arguments: impl Fn(u8) -> Vec<String>,
    ) -> Result<()> {
        let mut calls = JoinSet::new();
        for place in 0..=u8::MAX {
            let (redis, key, arguments) = (self.clone(), self.place(place), arguments(place));
            calls.spawn(async move {
                let arguments: Vec<&[u8]> = arguments.iter().map(String::as_bytes).collect();
                redis.run::<()>(code, &key, &arguments).await
            });
        }
        while let Some(done) = calls.join_next().await {
            done.map_err(|error| StoreError(format!("redis: {error}")))??;
        }
        Ok(())
    }
}

fn odd() -> StoreError {
    StoreError("redis: an answer has another form than expected".into())
}

fn number(text: &str) -> Result<u64> {
    text.parse().map_err(|_| odd())
}

fn grant(fields: &[String]) -> Result<Grant> {
    let [id, user, client, details, roles, jti, revision, issued_at, expires_at] = fields else {
        return Err(odd());
    };
    Ok(Grant {
        family: family(id, user, client, details),
        roles: words(roles),
        jti: jti.clone(),
        revision: number(revision)?,
        issued_at: number(issued_at)?,
        expires_at: number(expires_at)?,
    })
}

fn family(id: &str, user: &str, client: &str, details: &str) -> Family {
    Family { id: id.into(), user: user.into(), client: client.into(), details: details.into() }
}

fn standing(now: &str, revoked: &str) -> Result<Standing> {
    Ok(Standing { now: number(now)?, revoked: revoked != "0" })
}

#[async_trait]
impl Store for Redis {
    async fn put_user(&self, user: &User) -> Result<()> {
        let roles = user.roles.join(" ");
        let fields = [
            user.name.as_bytes(),
            user.password_hash.as_bytes(),
            roles.as_bytes(),
            user.second_factor.as_bytes(),
        ];
        self.run(&PUT_USER, &self.place_of(&user.name), &fields).await
    }

    async fn account(&self, name: &str) -> Result<Account> {
        let fields: Vec<String> =
            self.run(&ACCOUNT, &self.place_of(name), &[name.as_bytes()]).await?;
        Ok(match fields.as_slice() {
            [] => Account::Forgotten,
            [password_hash, roles, second_factor] => Account::Known(User {
                name: name.to_owned(),
                password_hash: password_hash.clone(),
                roles: words(roles),
                second_factor: second_factor.clone(),
            }),
            _ => Account::Unknown,
        })
    }

    async fn seed(&self, users: &[User]) -> Result<()> {
        self.everywhere(&SEED, |place| {
            users
                .iter()
                .filter(|user| place::of(&user.name) == place)
                .flat_map(|user| {
                    [
                        user.name.clone(),
                        user.password_hash.clone(),
                        user.roles.join(" "),
                        user.second_factor.clone(),
                    ]
                })
                .collect()
        })
        .await
    }

    async fn keyring(&self) -> Result<Option<String>> {
        let key = format!("{}:keyring", self.name);
        let text: String = self.run(&KEYRING, &key, &[]).await?;
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    async fn replace_keyring(&self, old: Option<&str>, new: &str) -> Result<String> {
        let key = format!("{}:keyring", self.name);
        let arguments = [old.unwrap_or_default().as_bytes(), new.as_bytes()];
        self.run(&KEYRING, &key, &arguments).await
    }

    async fn open_family(&self, new: NewFamily<'_>) -> Result<Option<Grant>> {
        let (refresh_ttl, access_ttl) = (new.refresh_ttl.to_string(), new.access.ttl.to_string());
        let fields: Vec<String> = self
            .run(
                &OPEN,
                &self.place_of(&new.family.user),
                &[
                    new.family.id.as_bytes(),
                    new.family.user.as_bytes(),
                    new.family.client.as_bytes(),
                    new.refresh.digest.as_bytes(),
                    refresh_ttl.as_bytes(),
                    new.access.jti.as_bytes(),
                    new.access.opaque.unwrap_or_default().as_bytes(),
                    access_ttl.as_bytes(),
                    new.family.details.as_bytes(),
                ],
            )
            .await?;
        if fields.is_empty() { Ok(None) } else { grant(&fields).map(Some) }
    }

    async fn family(&self, token: &Key) -> Result<Option<Family>> {
        let fields: Vec<String> =
            self.run(&FAMILY, &self.place(token.place), &[token.digest.as_bytes()]).await?;
        Ok(match fields.as_slice() {
            [id, user, client, details] => Some(family(id, user, client, details)),
            _ => None,
        })
    }

    async fn families(&self, user: &str) -> Result<Vec<LiveFamily>> {
        let fields: Vec<String> =
            self.run(&FAMILIES, &self.place_of(user), &[user.as_bytes()]).await?;
        let (found, rest) = fields.as_chunks();
        if !rest.is_empty() {
            return Err(odd());
        }
        found
            .iter()
            .map(|[id, client, details, used_at]| {
                let family = family(id, user, client, details);
                Ok(LiveFamily { family, used_at: number(used_at)? })
            })
            .collect()
    }

    async fn exchange(&self, exchange: Exchange<'_>) -> Result<Exchanged> {
        let access = exchange.access;
        let (refresh_ttl, grace) = (exchange.refresh_ttl.to_string(), exchange.grace.to_string());
        let access_ttl = access.ttl.to_string();
        let fields: Vec<String> = self
            .run(
                &EXCHANGE,
                &self.place(exchange.old.place),
                &[
                    exchange.old.digest.as_bytes(),
                    exchange.new.digest.as_bytes(),
                    exchange.sealed.as_bytes(),
                    refresh_ttl.as_bytes(),
                    grace.as_bytes(),
                    access.jti.as_bytes(),
                    access.opaque.unwrap_or_default().as_bytes(),
                    access_ttl.as_bytes(),
                ],
            )
            .await?;
        match fields.as_slice() {
            [what, ended] if what == "refused" => {
                Ok(Exchanged::Refused { now_ended: ended == "1" })
            }
            [what, ended] if what == "reused" => Ok(Exchanged::Reused { now_ended: ended == "1" }),
            [what, sealed, again, rest @ ..] if what == "granted" => Ok(Exchanged::Granted {
                grant: grant(rest)?,
                sealed: sealed.clone(),
                again: again == "1",
            }),
            _ => Err(odd()),
        }
    }

    async fn end_family(&self, user: &str, id: &str) -> Result<bool> {
        let lived: String = self.run(&END, &self.place_of(user), &[id.as_bytes()]).await?;
        Ok(lived == "1")
    }

    async fn access(&self, token: &Key) -> Result<Option<(Grant, Standing)>> {
        let fields: Vec<String> =
            self.run(&ACCESS, &self.place(token.place), &[token.digest.as_bytes()]).await?;
        match fields.as_slice() {
            [] => Ok(None),
            [now, revoked, rest @ ..] => Ok(Some((grant(rest)?, standing(now, revoked)?))),
            _ => Err(odd()),
        }
    }

    async fn standing(&self, family: &Family, jti: &str, revision: u64) -> Result<Standing> {
        let revision = revision.to_string();
        let fields: [String; 2] = self
            .run::<Vec<String>>(
                &STANDING,
                &self.place_of(&family.user),
                &[
                    family.id.as_bytes(),
                    family.user.as_bytes(),
                    family.client.as_bytes(),
                    jti.as_bytes(),
                    revision.as_bytes(),
                ],
            )
            .await?
            .try_into()
            .map_err(|_| odd())?;
        standing(&fields[0], &fields[1])
    }

    async fn deny(&self, user: &str, jti: &str, until: u64) -> Result<()> {
        let until = until.to_string();
        self.run(&DENY, &self.place_of(user), &[jti.as_bytes(), until.as_bytes()]).await
    }

    async fn revoke(&self, group: Group<'_>, sessions: bool) -> Result<()> {
        let marks = raised(&group, sessions);
        if let Group::User(user) = group {
            let marks: Vec<&[u8]> = marks.iter().map(String::as_bytes).collect();
            return self.run(&REVOKE, &self.place_of(user), &marks).await;
        }
        self.everywhere(&REVOKE, |_| marks.clone()).await
    }

    async fn hit(&self, key: &str, by: i64, window: u64) -> Result<Hits> {
        let (by, window) = (by.to_string(), window.to_string());
        let key = format!("{}:hits:{key}", self.name);
        let fields: Vec<String> = self.run(&HIT, &key, &[by.as_bytes(), window.as_bytes()]).await?;
        let [count, resets_in] = fields.as_slice() else {
            return Err(odd());
        };
        Ok(Hits { count: number(count)?, resets_in: number(resets_in)? })
    }

    async fn first_use(&self, what: &str, use_id: &str, kept: u64) -> Result<bool> {
        let (key, kept) = (format!("{}:first-use:{what}", self.name), kept.to_string());
        let first: String =
            self.run(&FIRST_USE, &key, &[use_id.as_bytes(), kept.as_bytes()]).await?;
        Ok(first == use_id)
    }

    /// Redis removes expired keys itself.
    async fn purge(&self) -> Result<()> {
        Ok(())
    }

    /// A write, to detect a replica that serves only reads.
    async fn ready(&self) -> Result<()> {
        self.hit("ready", 1, 1000).await.map(drop)
    }
}
