//! The store in SQLite: one file, or memory; no service to run.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use rusqlite::{
    Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params, params_from_iter,
};
use tokio::task::spawn_blocking;

use super::{Family, Result, Rotate, Rotation, Store, StoreError, User};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS users (
        name TEXT PRIMARY KEY, password_hash TEXT NOT NULL, roles TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS signing_key (id INTEGER PRIMARY KEY CHECK (id = 1), bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS families (
        id TEXT PRIMARY KEY, user TEXT NOT NULL, client TEXT NOT NULL, revision INTEGER NOT NULL,
        expires_at INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS refresh_tokens (
        digest TEXT PRIMARY KEY, family TEXT NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS access_tokens (
        digest TEXT PRIMARY KEY, record TEXT NOT NULL, expires_at INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS denied (id TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS marks (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS hits (
        key TEXT PRIMARY KEY, count INTEGER NOT NULL, expires_at INTEGER NOT NULL
    ) WITHOUT ROWID;
";

const FAMILY: &str = "
    SELECT f.id, f.user, f.client, f.revision FROM families f JOIN refresh_tokens t ON t.family = f.id
    WHERE t.digest = ?1 AND t.expires_at > ?2 AND NOT f.ended";

pub struct Sqlite(Arc<Mutex<Connection>>);

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self(format!("sqlite: {error}"))
    }
}

impl Sqlite {
    pub fn open(file: &str) -> Result<Self> {
        let connection = Connection::open(file)?;
        // Another instance on the same file may hold the lock for a moment.
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        // Readers do not wait for the writer. A database in memory has no journal, and says so.
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// SQLite blocks, so it runs beside the async threads. Each call is one transaction that takes the
    /// write lock at once: that is what makes `rotate` atomic, over several processes too.
    async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T> {
        let connection = Arc::clone(&self.0);
        let done = spawn_blocking(move || {
            // A call that panicked has rolled back: the connection is good.
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let answer = work(&transaction)?;
            transaction.commit()?;
            Ok(answer)
        });
        match done.await {
            Ok(answer) => answer,
            Err(error) => Err(StoreError(format!("sqlite: {error}"))),
        }
    }
}

#[async_trait]
impl Store for Sqlite {
    async fn put_user(&self, user: &User) -> Result<()> {
        let row = (user.name.clone(), user.password_hash.clone(), user.roles.join(" "));
        self.call(move |db| {
            db.execute("INSERT OR REPLACE INTO users VALUES (?1, ?2, ?3)", row)?;
            Ok(())
        })
        .await
    }

    async fn user(&self, name: &str) -> Result<Option<User>> {
        let name = name.to_owned();
        self.call(move |db| {
            db.query_row(
                "SELECT name, password_hash, roles FROM users WHERE name = ?1",
                [name],
                |row| {
                    Ok(User {
                        name: row.get(0)?,
                        password_hash: row.get(1)?,
                        roles: row
                            .get::<_, String>(2)?
                            .split_whitespace()
                            .map(str::to_owned)
                            .collect(),
                    })
                },
            )
            .optional()
        })
        .await
    }

    async fn shared_key(&self, fresh: [u8; 32]) -> Result<[u8; 32]> {
        self.call(move |db| {
            db.execute("INSERT OR IGNORE INTO signing_key VALUES (1, ?1)", [fresh])?;
            db.query_row("SELECT bytes FROM signing_key", [], |row| row.get(0))
        })
        .await
    }

    async fn open_family(
        &self,
        family: &Family,
        token: &str,
        _now: u64,
        expires_at: u64,
    ) -> Result<()> {
        let (family, token) = (family.clone(), token.to_owned());
        self.call(move |db| {
            db.execute(
                "INSERT INTO families (id, user, client, revision, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![family.id, family.user, family.client, family.revision as i64, expires_at as i64],
            )?;
            add_token(db, &token, &family.id, expires_at)
        })
        .await
    }

    async fn family(&self, token: &str, now: u64) -> Result<Option<Family>> {
        let token = token.to_owned();
        self.call(move |db| {
            db.query_row(FAMILY, params![token, now as i64], read_family).optional()
        })
        .await
    }

    async fn rotate(&self, rotate: Rotate<'_>) -> Result<Rotation> {
        let (old, new) = (rotate.old.to_owned(), rotate.new.to_owned());
        let (now, grace) = (rotate.now as i64, rotate.grace as i64);
        let expires_at = rotate.new_expires_at;
        self.call(move |db| {
            let known: Option<(String, Option<i64>)> = db
                .query_row(
                    "SELECT family, used_at FROM refresh_tokens WHERE digest = ?1 AND expires_at > ?2",
                    params![old, now],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
                .optional()?;
            let Some((family, used_at)) = known else {
                return Ok(Rotation::Unknown);
            };
            if used_at.is_some_and(|used_at| now >= used_at + grace) {
                let now_ended = end(db, &family)?;
                return Ok(Rotation::Reused { family, now_ended });
            }
            let Some(family) = db
                .query_row(FAMILY, params![old, now], read_family)
                .optional()?
            else {
                return Ok(Rotation::Unknown);
            };
            // The first use is what counts for the grace, so a repeat does not extend it.
            db.execute(
                "UPDATE refresh_tokens SET used_at = ?2 WHERE digest = ?1 AND used_at IS NULL",
                params![old, now],
            )?;
            add_token(db, &new, &family.id, expires_at)?;
            db.execute(
                "UPDATE families SET expires_at = ?2 WHERE id = ?1",
                params![family.id, expires_at as i64],
            )?;
            Ok(Rotation::Rotated(family))
        })
        .await
    }

    async fn end_family(&self, id: &str) -> Result<bool> {
        let id = id.to_owned();
        self.call(move |db| end(db, &id)).await
    }

    async fn put_access(
        &self,
        token: &str,
        record: &str,
        _now: u64,
        expires_at: u64,
    ) -> Result<()> {
        let row = (token.to_owned(), record.to_owned(), expires_at as i64);
        self.call(move |db| {
            db.execute("INSERT INTO access_tokens VALUES (?1, ?2, ?3)", row)?;
            Ok(())
        })
        .await
    }

    async fn access(&self, token: &str, now: u64) -> Result<Option<String>> {
        let token = token.to_owned();
        self.call(move |db| {
            db.query_row(
                "SELECT record FROM access_tokens WHERE digest = ?1 AND expires_at > ?2",
                params![token, now as i64],
                |row| row.get(0),
            )
            .optional()
        })
        .await
    }

    async fn deny(&self, id: &str, _now: u64, until: u64) -> Result<()> {
        let row = (id.to_owned(), until as i64);
        self.call(move |db| {
            db.execute("INSERT OR REPLACE INTO denied VALUES (?1, ?2)", row)?;
            Ok(())
        })
        .await
    }

    async fn any_denied(&self, ids: &[&str], now: u64) -> Result<bool> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        self.call(move |db| {
            let mut denied =
                db.prepare_cached("SELECT 1 FROM denied WHERE id = ?1 AND expires_at > ?2")?;
            for id in &ids {
                if denied.exists(params![id, now as i64])? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }

    async fn bump(&self, mark: &str) -> Result<()> {
        let mark = mark.to_owned();
        self.call(move |db| {
            db.execute(
                "INSERT INTO marks VALUES (?1, 1) ON CONFLICT DO UPDATE SET count = count + 1",
                [mark],
            )?;
            Ok(())
        })
        .await
    }

    async fn sum(&self, marks: &[String]) -> Result<u64> {
        let marks = marks.to_vec();
        self.call(move |db| {
            let places = vec!["?"; marks.len()].join(", ");
            let sum: i64 = db.query_row(
                &format!("SELECT COALESCE(SUM(count), 0) FROM marks WHERE name IN ({places})"),
                params_from_iter(marks),
                |row| row.get(0),
            )?;
            Ok(sum as u64)
        })
        .await
    }

    async fn hit(&self, key: &str, _now: u64, until: u64) -> Result<u64> {
        let row = (key.to_owned(), until as i64);
        self.call(move |db| {
            let count: i64 = db.query_row(
                "INSERT INTO hits VALUES (?1, 1, ?2) ON CONFLICT DO UPDATE SET count = count + 1
                 RETURNING count",
                row,
                |row| row.get(0),
            )?;
            Ok(count as u64)
        })
        .await
    }

    async fn purge(&self, now: u64) -> Result<()> {
        self.call(move |db| {
            for table in ["refresh_tokens", "families", "access_tokens", "denied", "hits"] {
                db.execute(&format!("DELETE FROM {table} WHERE expires_at <= ?1"), [now as i64])?;
            }
            Ok(())
        })
        .await
    }
}

fn add_token(db: &Transaction, token: &str, family: &str, expires_at: u64) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO refresh_tokens (digest, family, expires_at) VALUES (?1, ?2, ?3)",
        params![token, family, expires_at as i64],
    )?;
    Ok(())
}

fn end(db: &Transaction, family: &str) -> rusqlite::Result<bool> {
    let changed =
        db.execute("UPDATE families SET ended = 1 WHERE id = ?1 AND NOT ended", [family])?;
    Ok(changed == 1)
}

fn read_family(row: &Row) -> rusqlite::Result<Family> {
    Ok(Family {
        id: row.get(0)?,
        user: row.get(1)?,
        client: row.get(2)?,
        revision: row.get::<_, i64>(3)? as u64,
    })
}
