//! The store in PostgreSQL, for several instances behind one address. Each call is one database function (see
//! the migrations), so it is one transaction; exchanges of one family wait for each other at the family's
//! row, and PostgreSQL's clock decides.
//!
//! A commit is confirmed once it is on the disk, and on the replicas in `synchronous_standby_names`. With
//! `synchronous_commit` off, a crash makes used tokens valid again.

use std::error::Error;

use async_trait::async_trait;
use deadpool_postgres::{Manager, ManagerConfig, Object, Pool, RecyclingMethod, Runtime};
use tokio::time::timeout;
use tokio_postgres::{
    Config, NoTls, Row,
    config::SslMode,
    error::SqlState,
    types::{ToSql, Type},
};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    Account, Exchange, Exchanged, Family, Grant, Group, Hits, Key, LiveFamily, NewFamily, PATIENCE,
    Result, Standing, Store, StoreError, User, raised, words,
};
use crate::clock::Clock;

/// Each is run once, in order. Never change a released one.
const MIGRATIONS: &[&str] =
    &[include_str!("1.sql"), include_str!("2.sql"), include_str!("3.sql"), include_str!("4.sql")];

/// A few are enough: a call takes about a millisecond.
const CONNECTIONS: usize = 16;

const GRANT: &str = "family, user_name, client, roles, jti, revision, issued_at, expires_at";

pub struct Postgres {
    pool: Pool,
    clock: Option<Clock>,
}

/// A statement's value with its type, so that PostgreSQL need not be asked for the type first.
type Value<'a> = (&'a (dyn ToSql + Sync), Type);

fn text<'a>(value: &'a (impl ToSql + Sync)) -> Value<'a> {
    (value, Type::TEXT)
}

fn number(value: &(impl ToSql + Sync)) -> Value<'_> {
    (value, Type::INT8)
}

enum Failed {
    /// The schema is missing: the database is new, or was recreated.
    NoSchema,
    Other(StoreError),
}

impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        let missing = [
            SqlState::INVALID_SCHEMA_NAME,
            SqlState::UNDEFINED_TABLE,
            SqlState::UNDEFINED_FUNCTION,
        ];
        if error.code().is_some_and(|code| missing.contains(code)) {
            return Self::NoSchema;
        }
        Self::Other(error.into())
    }
}

impl From<tokio_postgres::Error> for StoreError {
    /// Without the details, which would contain values.
    fn from(error: tokio_postgres::Error) -> Self {
        match (error.as_db_error(), error.source()) {
            (Some(db), _) => Self(format!("postgres: {} {}", db.code().code(), db.message())),
            (None, Some(cause)) => Self(format!("postgres: {error}: {cause}")),
            (None, None) => Self(format!("postgres: {error}")),
        }
    }
}

impl Postgres {
    pub async fn open(url: &str, clock: Option<Clock>) -> Result<Self> {
        // Without the cause, which may quote a part of a password.
        let mut config: Config = url
            .parse()
            .map_err(|error: tokio_postgres::Error| StoreError(format!("postgres: {error}")))?;
        config.connect_timeout(PATIENCE);
        #[cfg(target_os = "linux")]
        config.tcp_user_timeout(PATIENCE);
        // When the server gives up, PostgreSQL must give up as well: the call must not be run much later.
        let limit = format!("-c statement_timeout={}", PATIENCE.as_millis());
        let options = config.get_options().map(|given| format!("{given} {limit}"));
        config.options(options.unwrap_or(limit));
        let how = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = match config.get_ssl_mode() {
            SslMode::Require => Manager::from_config(config, tls()?, how),
            // The default, `prefer`, would not protect from an attacker in between.
            _ => Manager::from_config(config, NoTls, how),
        };
        let pool = Pool::builder(manager)
            .max_size(CONNECTIONS)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(PATIENCE))
            .recycle_timeout(Some(PATIENCE))
            .build()
            .map_err(|error| StoreError(format!("postgres: {error}")))?;
        let store = Self { pool, clock };
        store.migrate().await?;
        Ok(store)
    }

    /// The time passed to the functions: none, outside of tests.
    fn now(&self) -> Option<i64> {
        self.clock.as_ref().map(|clock| clock.now() as i64)
    }

    async fn connection(&self) -> Result<Object> {
        self.pool.get().await.map_err(|error| match error {
            deadpool_postgres::PoolError::Backend(error) => error.into(),
            error => StoreError(format!("postgres: {error}")),
        })
    }

    /// Instances that start at once wait for each other, and the later ones find it done.
    async fn migrate(&self) -> Result<()> {
        let work = async {
            let mut connection = self.connection().await?;
            let transaction = connection.transaction().await?;
            transaction
                .batch_execute(
                    "SELECT pg_advisory_xact_lock(hashtext('tokenkeep.migrations'));
                     CREATE SCHEMA IF NOT EXISTS tokenkeep;
                     CREATE TABLE IF NOT EXISTS tokenkeep.migrations (version int PRIMARY KEY);",
                )
                .await?;
            let done = transaction
                .query_one("SELECT COALESCE(MAX(version), 0) FROM tokenkeep.migrations", &[])
                .await?;
            let done: i32 = done.try_get(0)?;
            for (version, migration) in (1..).zip(MIGRATIONS).skip(done as usize) {
                transaction.batch_execute(migration).await?;
                let note = "INSERT INTO tokenkeep.migrations VALUES ($1)";
                transaction.execute(note, &[&version]).await?;
            }
            transaction.commit().await?;
            Ok(())
        };
        timeout(PATIENCE * 3, work).await.unwrap_or_else(|_| Err(StoreError::late("postgres")))
    }

    async fn call(&self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Row>> {
        match self.try_call(statement, values).await {
            Err(Failed::NoSchema) => {
                self.migrate().await?;
                self.try_call(statement, values).await.map_err(|failed| match failed {
                    Failed::NoSchema => StoreError("postgres: there are no tables".into()),
                    Failed::Other(error) => error,
                })
            }
            Err(Failed::Other(error)) => Err(error),
            Ok(rows) => Ok(rows),
        }
    }

    async fn try_call(
        &self,
        statement: &str,
        values: &[Value<'_>],
    ) -> std::result::Result<Vec<Row>, Failed> {
        let connection = self.connection().await.map_err(Failed::Other)?;
        match timeout(PATIENCE, connection.query_typed(statement, values)).await {
            Ok(Err(error)) if error.code() == Some(&SqlState::READ_ONLY_SQL_TRANSACTION) => {
                // The old primary is no longer the primary: a new connection finds the new one.
                drop(Object::take(connection));
                Err(error.into())
            }
            Ok(rows) => Ok(rows?),
            Err(_) => {
                // An answer may still arrive on this connection: nobody else must use it.
                drop(Object::take(connection));
                Err(Failed::Other(StoreError::late("postgres")))
            }
        }
    }

    async fn one(&self, statement: &str, values: &[Value<'_>]) -> Result<Row> {
        let rows = self.call(statement, values).await?;
        rows.into_iter().next().ok_or_else(|| StoreError("postgres: no row".into()))
    }
}

/// TLS with the certificates that the system trusts, or those in `SSL_CERT_FILE`.
fn tls() -> Result<MakeRustlsConnect> {
    let found = MakeRustlsConnect::with_native_certs();
    found.map(|(tls, _)| tls).map_err(|errors| {
        let why = errors.first().map(|error| format!(": {error}")).unwrap_or_default();
        StoreError(format!("postgres: no certificate to trust{why}"))
    })
}

fn unsigned(row: &Row, column: &str) -> Result<u64> {
    Ok(row.try_get::<_, i64>(column)? as u64)
}

fn family(row: &Row) -> Result<Family> {
    Ok(Family {
        id: row.try_get("family")?,
        user: row.try_get("user_name")?,
        client: row.try_get("client")?,
        details: row.try_get("details")?,
    })
}

fn grant(row: &Row) -> Result<Grant> {
    Ok(Grant {
        family: family(row)?,
        roles: words(row.try_get("roles")?),
        jti: row.try_get("jti")?,
        revision: unsigned(row, "revision")?,
        issued_at: unsigned(row, "issued_at")?,
        expires_at: unsigned(row, "expires_at")?,
    })
}

fn standing(row: &Row) -> Result<Standing> {
    Ok(Standing { now: unsigned(row, "now_ms")?, revoked: row.try_get("revoked")? })
}

#[async_trait]
impl Store for Postgres {
    async fn put_user(&self, user: &User) -> Result<()> {
        self.call(
            "INSERT INTO tokenkeep.users VALUES ($1, $2, $3, $4)
             ON CONFLICT (name) DO UPDATE
             SET password_hash = excluded.password_hash, roles = excluded.roles,
                 second_factor = excluded.second_factor",
            &[
                text(&user.name),
                text(&user.password_hash),
                text(&user.roles.join(" ")),
                text(&user.second_factor),
            ],
        )
        .await
        .map(drop)
    }

    async fn account(&self, name: &str) -> Result<Account> {
        let row = self
            .one(
                "SELECT u.name, u.password_hash, u.roles, u.second_factor,
                        EXISTS (SELECT 1 FROM tokenkeep.seeded) AS seeded
                 FROM (VALUES (1)) one LEFT JOIN tokenkeep.users u ON u.name = $1",
                &[text(&name)],
            )
            .await?;
        let Some(name) = row.try_get("name")? else {
            let seeded: bool = row.try_get("seeded")?;
            return Ok(if seeded { Account::Unknown } else { Account::Forgotten });
        };
        Ok(Account::Known(User {
            name,
            password_hash: row.try_get("password_hash")?,
            roles: words(row.try_get("roles")?),
            second_factor: row.try_get("second_factor")?,
        }))
    }

    async fn seed(&self, users: &[User]) -> Result<()> {
        let column = |of: fn(&User) -> String| users.iter().map(of).collect::<Vec<_>>();
        let names = column(|user| user.name.clone());
        let hashes = column(|user| user.password_hash.clone());
        let roles = column(|user| user.roles.join(" "));
        let factors = column(|user| user.second_factor.clone());
        self.call(
            "WITH added AS (
                 INSERT INTO tokenkeep.users SELECT * FROM unnest($1, $2, $3, $4) ON CONFLICT DO NOTHING
             ), sealed AS (
                 UPDATE tokenkeep.users u SET second_factor = given.second_factor
                 FROM unnest($1, $4) given (name, second_factor)
                 WHERE u.name = given.name AND u.second_factor LIKE 'plain.%'
                   AND given.second_factor LIKE 'sealed.%'
             )
             INSERT INTO tokenkeep.seeded VALUES (1) ON CONFLICT DO NOTHING",
            &[&names, &hashes, &roles, &factors].map(|column| (column as _, Type::TEXT_ARRAY)),
        )
        .await
        .map(drop)
    }

    async fn keyring(&self) -> Result<Option<String>> {
        let rows = self.call("SELECT text FROM tokenkeep.keyring", &[]).await?;
        rows.first().map(|row| Ok(row.try_get("text")?)).transpose()
    }

    async fn replace_keyring(&self, old: Option<&str>, new: &str) -> Result<String> {
        let row = self
            .one("SELECT tokenkeep.replace_keyring($1, $2) AS text", &[text(&old), text(&new)])
            .await?;
        Ok(row.try_get("text")?)
    }

    async fn open_family(&self, new: NewFamily<'_>) -> Result<Option<Grant>> {
        let (refresh_ttl, access_ttl) = (new.refresh_ttl as i64, new.access.ttl as i64);
        let rows = self
            .call(
                &format!(
                    "SELECT {GRANT}, $10 AS details
                     FROM tokenkeep.open_family($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
                ),
                &[
                    number(&self.now()),
                    text(&new.family.id),
                    text(&new.family.user),
                    text(&new.family.client),
                    text(&new.refresh.digest),
                    number(&refresh_ttl),
                    text(&new.access.jti),
                    text(&new.access.opaque),
                    number(&access_ttl),
                    text(&new.family.details),
                ],
            )
            .await?;
        rows.first().map(grant).transpose()
    }

    async fn family(&self, token: &Key) -> Result<Option<Family>> {
        let rows = self
            .call(
                "SELECT f.id AS family, f.user_name, f.client, f.details
                 FROM tokenkeep.clock($1) AS now_ms, tokenkeep.families f
                 JOIN tokenkeep.refresh_tokens t ON t.family = f.id
                 WHERE t.digest = $2 AND t.expires_at > now_ms AND f.expires_at > now_ms AND NOT f.ended",
                &[number(&self.now()), text(&token.digest)],
            )
            .await?;
        rows.first().map(family).transpose()
    }

    async fn families(&self, user: &str) -> Result<Vec<LiveFamily>> {
        let rows = self
            .call(
                "SELECT f.id AS family, f.user_name, f.client, f.details,
                        GREATEST(f.opened_at, MAX(t.used_at)) AS last_used
                 FROM tokenkeep.clock($1) AS now_ms, tokenkeep.families f
                 JOIN tokenkeep.refresh_tokens t ON t.family = f.id
                 WHERE f.user_name = $2 AND f.expires_at > now_ms AND NOT f.ended
                   AND f.revision = tokenkeep.sum('refresh', f.user_name, f.client)
                 GROUP BY f.id, now_ms HAVING bool_or(t.used_at IS NULL AND t.expires_at > now_ms)",
                &[number(&self.now()), text(&user)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(LiveFamily { family: family(row)?, used_at: unsigned(row, "last_used")? })
            })
            .collect()
    }

    async fn exchange(&self, exchange: Exchange<'_>) -> Result<Exchanged> {
        let (refresh_ttl, grace) = (exchange.refresh_ttl as i64, exchange.grace as i64);
        let access_ttl = exchange.access.ttl as i64;
        let row = self
            .one(
                "SELECT e.outcome, e.now_ended, e.sealed, e.again, (e.granted).*, f.details
                 FROM tokenkeep.exchange($1, $2, $3, $4, $5, $6, $7, $8, $9) e
                 LEFT JOIN tokenkeep.families f ON f.id = (e.granted).family",
                &[
                    number(&self.now()),
                    text(&exchange.old.digest),
                    text(&exchange.new.digest),
                    text(&exchange.sealed),
                    number(&refresh_ttl),
                    number(&grace),
                    text(&exchange.access.jti),
                    text(&exchange.access.opaque),
                    number(&access_ttl),
                ],
            )
            .await?;
        let now_ended = row.try_get("now_ended")?;
        match row.try_get("outcome")? {
            "granted" => Ok(Exchanged::Granted {
                grant: grant(&row)?,
                sealed: row.try_get("sealed")?,
                again: row.try_get("again")?,
            }),
            "reused" => Ok(Exchanged::Reused { now_ended }),
            _ => Ok(Exchanged::Refused { now_ended }),
        }
    }

    async fn end_family(&self, _user: &str, id: &str) -> Result<bool> {
        let row = self
            .one("SELECT tokenkeep.finish($1, $2) AS lived", &[number(&self.now()), text(&id)])
            .await?;
        Ok(row.try_get("lived")?)
    }

    async fn access(&self, token: &Key) -> Result<Option<(Grant, Standing)>> {
        let rows = self
            .call(
                "SELECT f.id AS family, f.user_name, f.client, f.details, a.roles, a.jti, a.revision,
                        a.issued_at, a.expires_at, s.now_ms, s.revoked
                 FROM tokenkeep.access_tokens a JOIN tokenkeep.families f ON f.id = a.family,
                      tokenkeep.standing($1, f.id, f.user_name, f.client, a.jti, a.revision) s
                 WHERE a.digest = $2 AND a.expires_at > s.now_ms",
                &[number(&self.now()), text(&token.digest)],
            )
            .await?;
        rows.first().map(|row| Ok((grant(row)?, standing(row)?))).transpose()
    }

    async fn standing(&self, family: &Family, jti: &str, revision: u64) -> Result<Standing> {
        let revision = revision as i64;
        let row = self
            .one(
                "SELECT now_ms, revoked FROM tokenkeep.standing($1, $2, $3, $4, $5, $6)",
                &[
                    number(&self.now()),
                    text(&family.id),
                    text(&family.user),
                    text(&family.client),
                    text(&jti),
                    number(&revision),
                ],
            )
            .await?;
        standing(&row)
    }

    async fn deny(&self, _user: &str, jti: &str, until: u64) -> Result<()> {
        let until = until as i64;
        self.call(
            "INSERT INTO tokenkeep.denied VALUES ($1, $2)
             ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at",
            &[text(&jti), number(&until)],
        )
        .await
        .map(drop)
    }

    async fn revoke(&self, group: Group<'_>, sessions: bool) -> Result<()> {
        let marks = raised(&group, sessions);
        self.call(
            "INSERT INTO tokenkeep.marks AS m SELECT mark, 1 FROM unnest($1) AS mark ORDER BY mark
             ON CONFLICT (name) DO UPDATE SET count = m.count + 1",
            &[(&marks, Type::TEXT_ARRAY)],
        )
        .await
        .map(drop)
    }

    async fn hit(&self, key: &str, by: i64, window: u64) -> Result<Hits> {
        let window = window as i64;
        let row = self
            .one(
                "SELECT total, resets_in FROM tokenkeep.hit($1, $2, $3, $4)",
                &[number(&self.now()), text(&key), number(&by), number(&window)],
            )
            .await?;
        Ok(Hits { count: unsigned(&row, "total")?, resets_in: unsigned(&row, "resets_in")? })
    }

    async fn first_use(&self, what: &str, use_id: &str, kept: u64) -> Result<bool> {
        let kept = kept as i64;
        let row = self
            .one(
                "SELECT tokenkeep.first_use($1, $2, $3, $4) AS first",
                &[number(&self.now()), text(&what), text(&use_id), number(&kept)],
            )
            .await?;
        Ok(row.try_get("first")?)
    }

    async fn purge(&self) -> Result<()> {
        self.call("SELECT tokenkeep.purge($1)", &[number(&self.now())]).await.map(drop)
    }

    /// A write, to detect a standby.
    async fn ready(&self) -> Result<()> {
        self.hit("ready", 1, 1000).await.map(drop)
    }
}
