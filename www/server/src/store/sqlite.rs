//! The store in SQLite: one file, or memory; no service to run. Its clock is the machine's, which all
//! processes that share the file have in common.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use rusqlite::{
    Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params, params_from_iter,
};
use tokio::{task::spawn_blocking, time::timeout};

use super::{
    Account, Exchange, Exchanged, Family, Grant, Group, Hits, Key, LiveFamily, NewAccess,
    NewFamily, PATIENCE, Result, Standing, Store, StoreError, User, marks, raised, words,
};
use crate::clock::Clock;

/// Each is run once, in order: `user_version` counts them. Never change a released one.
const MIGRATIONS: &[&str] = &[
    include_str!("sqlite/1.sql"),
    include_str!("sqlite/2.sql"),
    include_str!("sqlite/3.sql"),
    include_str!("sqlite/4.sql"),
    include_str!("sqlite/5.sql"),
];

pub struct Sqlite {
    connection: Arc<Mutex<Connection>>,
    clock: Clock,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self(format!("sqlite: {error}"))
    }
}

impl Sqlite {
    pub fn open(file: &str, clock: Option<Clock>) -> Result<Self> {
        let mut connection = Connection::open(file)?;
        // Another instance on the same file may hold the lock for a moment.
        connection.busy_timeout(PATIENCE - Duration::from_millis(500))?;
        // Readers do not wait for the writer. A database in memory has no journal, and reports so.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // Written to the disk before the answer: a power cut makes no used token valid again.
        connection.pragma_update(None, "synchronous", "FULL")?;
        // Deleted and replaced data is overwritten: a secret that has been sealed since must not stay in free
        // pages.
        connection.pragma_update(None, "secure_delete", "ON")?;
        migrate(&mut connection)?;
        Ok(Self {
            connection: Arc::new(Mutex::new(connection)),
            clock: clock.unwrap_or_else(Clock::system),
        })
    }

    /// SQLite blocks, so it runs beside the async threads. Each call is one transaction that takes the write
    /// lock at once, and reads the clock while holding the lock: that makes `exchange` atomic, across
    /// processes, too.
    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let (connection, clock) = (Arc::clone(&self.connection), self.clock.clone());
        let began = Instant::now();
        let done = spawn_blocking(move || {
            // A call that panicked has rolled back: the connection is usable.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            // The caller of a call that starts this late has given up: the call must not be run any more.
            if began.elapsed() > PATIENCE {
                return Err(StoreError::late("sqlite"));
            }
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let db = Db { now: clock.now() as i64, transaction };
            let answer = work(&db)?;
            db.transaction.commit()?;
            Ok(answer)
        });
        match timeout(PATIENCE, done).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => Err(StoreError(format!("sqlite: {error}"))),
            Err(_) => Err(StoreError::late("sqlite")),
        }
    }
}

/// Two instances may open a new file at once: the second waits, and finds it done.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done: u32 = transaction.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    for migration in MIGRATIONS.iter().skip(done as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    transaction.commit()
}

/// One transaction, and its time.
struct Db<'a> {
    transaction: Transaction<'a>,
    now: i64,
}

impl<'a> std::ops::Deref for Db<'a> {
    type Target = Transaction<'a>;

    fn deref(&self) -> &Self::Target {
        &self.transaction
    }
}

impl Db<'_> {
    fn roles(&self, user: &str) -> rusqlite::Result<Option<Vec<String>>> {
        self.query_row("SELECT roles FROM users WHERE name = ?1", [user], |row| {
            Ok(words(&row.get::<_, String>(0)?))
        })
        .optional()
    }

    fn sum(&self, of: &str, user: &str, client: &str) -> rusqlite::Result<u64> {
        self.query_row(
            "SELECT COALESCE(SUM(count), 0) FROM marks WHERE name IN (?1, ?2, ?3)",
            params_from_iter(marks(of, user, client)),
            |row| row.get::<_, i64>(0),
        )
        .map(|sum| sum as u64)
    }

    fn keyring(&self) -> rusqlite::Result<Option<String>> {
        self.query_row("SELECT text FROM keyring", [], |row| row.get(0)).optional()
    }

    /// The living family of a token, and the refresh marks' sum at its login.
    fn family(&self, digest: &str) -> rusqlite::Result<Option<(Family, u64)>> {
        self.query_row(
            "SELECT f.id, f.user, f.client, f.details, f.revision
             FROM families f JOIN refresh_tokens t ON t.family = f.id
             WHERE t.digest = ?1 AND t.expires_at > ?2 AND f.expires_at > ?2 AND NOT f.ended",
            params![digest, self.now],
            |row| Ok((read_family(row)?, row.get::<_, i64>(4)? as u64)),
        )
        .optional()
    }

    fn end(&self, family: &str) -> rusqlite::Result<bool> {
        let changed =
            self.execute("UPDATE families SET ended = 1 WHERE id = ?1 AND NOT ended", [family])?;
        Ok(changed == 1)
    }

    fn add_token(&self, digest: &str, family: &str, ttl: u64) -> rusqlite::Result<()> {
        self.execute(
            "INSERT INTO refresh_tokens (digest, family, expires_at) VALUES (?1, ?2, ?3)",
            params![digest, family, self.now + ttl as i64],
        )?;
        Ok(())
    }

    fn grant(
        &self,
        family: Family,
        roles: Vec<String>,
        access: &Access,
    ) -> rusqlite::Result<Grant> {
        let issued_at = self.now as u64;
        let grant = Grant {
            revision: self.sum("access", &family.user, &family.client)?,
            family,
            roles,
            jti: access.jti.clone(),
            issued_at,
            expires_at: (issued_at + access.ttl).div_ceil(1000) * 1000,
        };
        if let Some(digest) = &access.opaque {
            self.execute(
                "INSERT OR REPLACE INTO access_tokens
                 (digest, family, jti, roles, revision, issued_at, expires_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    digest,
                    grant.family.id,
                    grant.jti,
                    grant.roles.join(" "),
                    grant.revision as i64,
                    self.now,
                    grant.expires_at as i64
                ],
            )?;
        }
        // The family outlives all of its tokens: an access token is good only while the family exists.
        self.execute(
            "UPDATE families SET expires_at = MAX(expires_at, ?2) WHERE id = ?1",
            params![grant.family.id, grant.expires_at as i64],
        )?;
        Ok(grant)
    }

    fn standing(&self, family: &Family, jti: &str, revision: u64) -> rusqlite::Result<Standing> {
        let good: bool = self.query_row(
            "SELECT EXISTS (SELECT 1 FROM families WHERE id = ?1 AND NOT ended AND expires_at > ?3)
             AND NOT EXISTS (SELECT 1 FROM denied WHERE id = ?2 AND expires_at > ?3)",
            params![family.id, jti, self.now],
            |row| row.get(0),
        )?;
        let same = self.sum("access", &family.user, &family.client)? == revision;
        Ok(Standing { now: self.now as u64, revoked: !(good && same) })
    }
}

/// `NewAccess`, owned: it is sent to another thread.
struct Access {
    jti: String,
    opaque: Option<String>,
    ttl: u64,
}

impl From<NewAccess<'_>> for Access {
    fn from(new: NewAccess<'_>) -> Self {
        Self { jti: new.jti.to_owned(), opaque: new.opaque.map(str::to_owned), ttl: new.ttl }
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn put_user(&self, user: &User) -> Result<()> {
        let user = user.clone();
        self.call(move |db| {
            db.execute(
                "INSERT OR REPLACE INTO users (name, password_hash, roles, second_factor)
                 VALUES (?1, ?2, ?3, ?4)",
                row_of(user),
            )?;
            Ok(())
        })
        .await
    }

    async fn account(&self, name: &str) -> Result<Account> {
        let name = name.to_owned();
        self.call(move |db| {
            let user = db
                .query_row(
                    "SELECT name, password_hash, roles, second_factor FROM users WHERE name = ?1",
                    [name],
                    |row| {
                        Ok(User {
                            name: row.get(0)?,
                            password_hash: row.get(1)?,
                            roles: words(&row.get::<_, String>(2)?),
                            second_factor: row.get(3)?,
                        })
                    },
                )
                .optional()?;
            let seeded =
                db.query_row("SELECT EXISTS (SELECT 1 FROM seeded)", [], |row| row.get(0))?;
            Ok(match (user, seeded) {
                (Some(user), _) => Account::Known(user),
                (None, true) => Account::Unknown,
                (None, false) => Account::Forgotten,
            })
        })
        .await
    }

    async fn seed(&self, users: &[User]) -> Result<()> {
        let users = users.to_vec();
        self.call(move |db| {
            for user in users {
                db.execute(
                    "INSERT INTO users (name, password_hash, roles, second_factor)
                     VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (name) DO UPDATE SET second_factor = excluded.second_factor
                     WHERE users.second_factor LIKE 'plain.%'
                       AND excluded.second_factor LIKE 'sealed.%'",
                    row_of(user),
                )?;
            }
            db.execute("INSERT OR IGNORE INTO seeded (id) VALUES (1)", [])?;
            Ok(())
        })
        .await
    }

    async fn keyring(&self) -> Result<Option<String>> {
        self.call(|db| db.keyring()).await
    }

    async fn replace_keyring(&self, old: Option<&str>, new: &str) -> Result<String> {
        let (old, new) = (old.map(str::to_owned), new.to_owned());
        self.call(move |db| {
            let current = db.keyring()?;
            if let Some(current) = current.filter(|current| Some(current) != old.as_ref()) {
                return Ok(current);
            }
            db.execute("INSERT OR REPLACE INTO keyring (id, text) VALUES (1, ?1)", [&new])?;
            Ok(new)
        })
        .await
    }

    async fn open_family(&self, new: NewFamily<'_>) -> Result<Option<Grant>> {
        let (family, digest) = (new.family.clone(), new.refresh.digest.clone());
        let (ttl, access) = (new.refresh_ttl, Access::from(new.access));
        self.call(move |db| {
            let Some(roles) = db.roles(&family.user)? else {
                return Ok(None);
            };
            let revision = db.sum("refresh", &family.user, &family.client)?;
            db.execute(
                "INSERT INTO families (id, user, client, revision, expires_at, details, used_at)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![
                    family.id,
                    family.user,
                    family.client,
                    revision as i64,
                    db.now + ttl as i64,
                    family.details,
                    db.now
                ],
            )?;
            db.add_token(&digest, &family.id, ttl)?;
            db.grant(family, roles, &access).map(Some)
        })
        .await
    }

    async fn family(&self, token: &Key) -> Result<Option<Family>> {
        let digest = token.digest.clone();
        self.call(move |db| Ok(db.family(&digest)?.map(|(family, _)| family))).await
    }

    async fn families(&self, user: &str) -> Result<Vec<LiveFamily>> {
        let user = user.to_owned();
        self.call(move |db| {
            // A family that was revoked with its group is removed at its next use, and no longer counts as
            // living.
            let revision = db.sum("refresh", &user, "")?;
            let mut found = db.prepare_cached(
                "SELECT f.id, f.user, f.client, f.details, f.used_at FROM families f
                 WHERE f.user = ?1 AND f.expires_at > ?2 AND NOT f.ended AND f.revision = ?3 + (
                     SELECT COALESCE(SUM(count), 0) FROM marks WHERE name = 'refresh:client:' || f.client)
                 AND EXISTS (SELECT 1 FROM refresh_tokens t
                             WHERE t.family = f.id AND t.used_at IS NULL AND t.expires_at > ?2)",
            )?;
            let rows = found.query_map(params![user, db.now, revision as i64], |row| {
                Ok(LiveFamily {
                    family: read_family(row)?,
                    used_at: row.get::<_, i64>(4)? as u64,
                })
            })?;
            rows.collect()
        })
        .await
    }

    async fn exchange(&self, exchange: Exchange<'_>) -> Result<Exchanged> {
        let (old, new) = (exchange.old.digest.clone(), exchange.new.digest.clone());
        let (sealed, access) = (exchange.sealed.to_owned(), Access::from(exchange.access));
        let (ttl, grace) = (exchange.refresh_ttl, exchange.grace as i64);
        self.call(move |db| {
            let known = db
                .query_row(
                    "SELECT t.family, t.used_at, t.successor, t.sealed,
                            EXISTS (SELECT 1 FROM refresh_tokens n
                                    WHERE n.digest = t.successor AND n.used_at IS NULL)
                     FROM refresh_tokens t WHERE t.digest = ?1 AND t.expires_at > ?2",
                    params![old, db.now],
                    |row| {
                        Ok((
                            row.get::<_, String>(0)?,
                            row.get::<_, Option<i64>>(1)?,
                            row.get::<_, Option<String>>(2)?,
                            row.get::<_, Option<String>>(3)?,
                            row.get::<_, bool>(4)?,
                        ))
                    },
                )
                .optional()?;
            let Some((id, used_at, successor, first_sealed, successor_is_fresh)) = known else {
                return Ok(Exchanged::Refused { now_ended: false });
            };
            let mut again = false;
            if let Some(used_at) = used_at {
                let repeated = successor_is_fresh && successor.as_ref() == Some(&new);
                // A clock that was set back is no reason to accept a used token.
                again =
                    !repeated && first_sealed.is_some() && (0..grace).contains(&(db.now - used_at));
                if !repeated && !again {
                    return Ok(Exchanged::Reused { now_ended: db.end(&id)? });
                }
            }
            let Some((family, revision)) = db.family(&old)? else {
                return Ok(Exchanged::Refused { now_ended: false });
            };
            // The account is read again, so that a change of roles or its removal takes effect now.
            let roles = db.roles(&family.user)?;
            let revoked = db.sum("refresh", &family.user, &family.client)? != revision;
            let Some(roles) = roles.filter(|_| !revoked) else {
                return Ok(Exchanged::Refused { now_ended: db.end(&id)? });
            };
            let sealed = match (used_at, first_sealed) {
                (Some(_), Some(first)) => first,
                _ => {
                    db.execute(
                        "UPDATE refresh_tokens SET used_at = ?2, successor = ?3, sealed = ?4
                         WHERE digest = ?1 AND used_at IS NULL",
                        params![old, db.now, new, sealed],
                    )?;
                    db.add_token(&new, &id, ttl)?;
                    db.execute(
                        "UPDATE families SET expires_at = MAX(expires_at, ?2), used_at = ?3 WHERE id = ?1",
                        params![id, db.now + ttl as i64, db.now],
                    )?;
                    sealed
                }
            };
            let grant = db.grant(family, roles, &access)?;
            Ok(Exchanged::Granted { grant, sealed, again })
        })
        .await
    }

    async fn end_family(&self, _user: &str, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.call(move |db| db.end(&id)).await
    }

    async fn access(&self, token: &Key) -> Result<Option<(Grant, Standing)>> {
        let digest = token.digest.clone();
        self.call(move |db| {
            let grant = db
                .query_row(
                    "SELECT f.id, f.user, f.client, f.details, a.roles, a.jti, a.revision, a.issued_at, a.expires_at
                     FROM access_tokens a JOIN families f ON f.id = a.family
                     WHERE a.digest = ?1 AND a.expires_at > ?2",
                    params![digest, db.now],
                    |row| {
                        Ok(Grant {
                            family: read_family(row)?,
                            roles: words(&row.get::<_, String>(4)?),
                            jti: row.get(5)?,
                            revision: row.get::<_, i64>(6)? as u64,
                            issued_at: row.get::<_, i64>(7)? as u64,
                            expires_at: row.get::<_, i64>(8)? as u64,
                        })
                    },
                )
                .optional()?;
            let Some(grant) = grant else {
                return Ok(None);
            };
            let standing = db.standing(&grant.family, &grant.jti, grant.revision)?;
            Ok(Some((grant, standing)))
        })
        .await
    }

    async fn standing(&self, family: &Family, jti: &str, revision: u64) -> Result<Standing> {
        let (family, jti) = (family.clone(), jti.to_owned());
        self.call(move |db| db.standing(&family, &jti, revision)).await
    }

    async fn deny(&self, _user: &str, jti: &str, until: u64) -> Result<()> {
        let row = (jti.to_owned(), until as i64);
        self.call(move |db| {
            db.execute("INSERT OR REPLACE INTO denied (id, expires_at) VALUES (?1, ?2)", row)?;
            Ok(())
        })
        .await
    }

    async fn revoke(&self, group: Group<'_>, sessions: bool) -> Result<()> {
        let marks = raised(&group, sessions);
        self.call(move |db| {
            for mark in marks {
                db.execute(
                    "INSERT INTO marks (name, count) VALUES (?1, 1)
                     ON CONFLICT DO UPDATE SET count = count + 1",
                    [mark],
                )?;
            }
            Ok(())
        })
        .await
    }

    async fn hit(&self, key: &str, by: i64, window: u64) -> Result<Hits> {
        let key = key.to_owned();
        let read = |row: &Row| {
            Ok(Hits {
                count: row.get::<_, i64>(0)? as u64,
                resets_in: row.get::<_, i64>(1)? as u64,
            })
        };
        self.call(move |db| {
            if by > 0 {
                return db.query_row(
                    "INSERT INTO hits (key, count, expires_at) VALUES (?1, ?4, ?2 + ?3)
                     ON CONFLICT DO UPDATE SET
                         count = CASE WHEN expires_at > ?2 THEN count + ?4 ELSE ?4 END,
                         expires_at = CASE WHEN expires_at > ?2 THEN expires_at ELSE ?2 + ?3 END
                     RETURNING count, expires_at - ?2",
                    params![key, db.now, window as i64, by],
                    read,
                );
            }
            let found = db.query_row(
                "UPDATE hits SET count = MAX(count + ?3, 0) WHERE key = ?1 AND expires_at > ?2
                 RETURNING count, expires_at - ?2",
                params![key, db.now, by],
                read,
            );
            Ok(found.optional()?.unwrap_or(Hits { count: 0, resets_in: 0 }))
        })
        .await
    }

    async fn first_use(&self, what: &str, use_id: &str, kept: u64) -> Result<bool> {
        let (what, use_id) = (what.to_owned(), use_id.to_owned());
        self.call(move |db| {
            // An entry that is still remembered stays as it is, and the update finds no row.
            db.execute(
                "INSERT INTO first_uses AS f (what, use_id, expires_at) VALUES (?1, ?2, ?3 + ?4)
                 ON CONFLICT DO UPDATE SET use_id = excluded.use_id, expires_at = excluded.expires_at
                 WHERE f.expires_at <= ?3",
                params![what, use_id, db.now, kept as i64],
            )?;
            db.query_row(
                "SELECT use_id = ?2 FROM first_uses WHERE what = ?1",
                [what, use_id],
                |row| row.get(0),
            )
        })
        .await
    }

    async fn purge(&self) -> Result<()> {
        self.call(move |db| {
            for table in
                ["refresh_tokens", "families", "access_tokens", "denied", "hits", "first_uses"]
            {
                db.execute(&format!("DELETE FROM {table} WHERE expires_at <= ?1"), [db.now])?;
            }
            Ok(())
        })
        .await
    }

    /// Every call takes the write lock.
    async fn ready(&self) -> Result<()> {
        self.call(|_| Ok(())).await
    }
}

fn row_of(user: User) -> [String; 4] {
    [user.name, user.password_hash, user.roles.join(" "), user.second_factor]
}

fn read_family(row: &Row) -> rusqlite::Result<Family> {
    Ok(Family { id: row.get(0)?, user: row.get(1)?, client: row.get(2)?, details: row.get(3)? })
}
