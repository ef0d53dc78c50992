//! Guessing passwords, and what stands against it without locking anybody out.
//!
//! * One address has a few tries a minute for each account, right or wrong.
//! * One address has so many wrong ones a minute over all accounts: who tries one password with many names
//!   reaches it. Right ones are not counted, for many users may share an address.
//! * One account has so many wrong ones an hour from addresses that it never logged in from: who has many
//!   addresses reaches it. From then on each such address has a few tries an hour. So its owner gets in from
//!   wherever he was before, and from a new place too.

use crate::{
    answer::Failure,
    app::App,
    config::Limit,
    limit::{self, Hit, too_many},
    password::Turn,
    random,
    secret::Secret,
};

/// What an address still has that never logged in to an account which is being guessed at.
const STRANGER: u64 = 3;
/// How long an address is remembered after a first login.
const REMEMBERED: u64 = 30 * 24 * 60 * 60 * 1000;

/// One try for an account's password, which the limits have let through.
pub struct Guess {
    from: String,
    place: String,
    known: bool,
    hits: Vec<Hit>,
}

impl Guess {
    pub async fn allow(app: &App, from: String, account: &str) -> Result<Self, Failure> {
        let config = &app.config;
        let pair = format!("{from} {account}");
        limit::check(app, config.login_limit, "login", &pair).await?;
        let mut hits = vec![limit::check(app, config.address_limit, "login-address", &from).await?];

        let place = format!("place:{}", random::digest(&pair));
        let known = app.store.hit(&place, 0, REMEMBERED).await?.count > 0;
        if !known {
            let account = limit::count(app, config.account_limit, "login-account", account).await?;
            if account.wait.is_some() {
                let few = Limit { count: STRANGER, ..config.account_limit };
                limit::check(app, few, "login-stranger", &pair).await?;
            }
            hits.push(account);
        }
        Ok(Self { from, place, known, hits })
    }

    pub async fn check(
        self,
        app: &App,
        stored: Option<String>,
        password: Secret,
    ) -> Result<bool, Failure> {
        let turn = Turn { from: self.from, known: self.known };
        let right = app.passwords.right(turn, stored, password).await;
        let right = right.map_err(|_| too_many(1))?;
        if right {
            limit::take_back(app, self.hits).await?;
            app.store.hit(&self.place, 1, REMEMBERED).await?;
        }
        Ok(right)
    }
}
