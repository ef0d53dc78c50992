//! Limits for password guesses, which lock nobody out.
//!
//! * Each address has a few tries a minute for each account, right or wrong.
//! * Each address has a number of wrong tries a minute over all accounts: this stops a client that tries one
//!   password with many names. Right tries are not counted, because many users may share an address.
//! * Each account has a number of wrong tries an hour from addresses that it never logged in from: this stops
//!   a client with many addresses. After that, each such address has a few tries an hour. So the owner gets
//!   in from known addresses, and from a new place, too.

use crate::{
    answer::Failure,
    app::App,
    config::Limit,
    limit::{self, Hit, too_many},
    password::Turn,
    random,
    secret::Secret,
};

/// How many tries remain to an address that never logged in to an account under attack.
const STRANGER: u64 = 3;
/// How long an address is remembered after a first login.
const REMEMBERED: u64 = 30 * 24 * 60 * 60 * 1000;

/// One try for an account's password that the limits have let through.
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
