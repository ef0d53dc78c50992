//! The server's configuration. `flags.rs` builds it from the command line; tests build their own.

use std::{net::IpAddr, path::PathBuf, time::Duration};

use crate::{
    address::Cidr, clock::Clock, connections::Patience, log::Log, observe::audit::Audit,
    secret::Secret,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

#[derive(Clone, Debug)]
pub struct Config {
    pub host: IpAddr,
    /// 0 lets the system choose a port.
    pub port: u16,
    pub access_ttl: Duration,
    /// A session ends when it has not been used for this long.
    pub refresh_ttl: Duration,
    /// A session ends this long after its login.
    pub session_ttl: Duration,
    /// For how long a used refresh token may be used again. 0: a reuse always ends the family.
    pub reuse_grace: Duration,
    pub tokens: TokenKind,
    pub dpop: Dpop,
    /// Whether proofs need a nonce (RFC 9449 section 8).
    pub dpop_nonce: bool,
    /// The address under which browsers and resource servers know this server (RFC 8414 section 2).
    pub issuer: Option<String>,
    /// The audience of access tokens, with exceptions for some clients.
    pub audience: String,
    pub audiences: Vec<(String, String)>,
    /// After this time a new signing key follows.
    pub key_age: Duration,
    /// The secrets that seal keys and second factors in the store: the first seals, all can open.
    pub key_secrets: Vec<Secret>,
    /// See `store::URLS`.
    pub store: String,
    pub www: Option<PathBuf>,
    pub package: Option<PathBuf>,
    /// Other origins whose pages may log in and call the API.
    pub origins: Vec<String>,
    /// The clients that may introspect and revoke.
    pub clients: Vec<Client>,
    /// Accounts to add to the store at start, if it lacks them.
    pub users: Vec<NewUser>,
    /// Logins for one account from one address.
    pub login_limit: Limit,
    /// Wrong guesses from one address: passwords for any account, and cookies.
    pub address_limit: Limit,
    /// Wrong passwords for one account, from all addresses that it has not logged in from before.
    pub account_limit: Limit,
    pub refresh_limit: Limit,
    /// The proxies whose information about a client's address is trusted.
    pub trusted_proxies: Vec<Cidr>,
    pub patience: Patience,
    pub audit: Audit,
    /// `http://HOST:PORT` of an OpenTelemetry collector.
    pub collector: Option<String>,
    pub demo: bool,
    /// Only with `demo`.
    pub plain_cookie: bool,
    pub clock: Clock,
    /// Replaces the store's own clock, which decides every lifetime: for tests.
    pub store_clock: Option<Clock>,
    pub log: Log,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8080,
            access_ttl: Duration::from_secs(5 * 60),
            refresh_ttl: 7 * DAY,
            session_ttl: 90 * DAY,
            reuse_grace: Duration::ZERO,
            tokens: TokenKind::Jwt,
            dpop: Dpop::Off,
            dpop_nonce: false,
            issuer: None,
            audience: "tokenkeep-api".into(),
            audiences: Vec::new(),
            key_age: 90 * DAY,
            key_secrets: Vec::new(),
            store: "sqlite::memory:".into(),
            www: None,
            package: None,
            origins: Vec::new(),
            clients: Vec::new(),
            users: Vec::new(),
            login_limit: Limit::per_minute(10),
            address_limit: Limit::per_minute(30),
            account_limit: Limit { count: 100, window: Duration::from_secs(60 * 60) },
            refresh_limit: Limit::per_minute(60),
            trusted_proxies: Vec::new(),
            patience: Patience::default(),
            audit: Audit::nowhere(),
            collector: None,
            demo: false,
            plain_cookie: false,
            clock: Clock::system(),
            store_clock: None,
            log: Log::stderr(),
        }
    }
}

impl Config {
    /// If there is no issuer address, a name, which must be configured in resource servers.
    pub fn issuer(&self) -> &str {
        self.issuer.as_deref().unwrap_or("tokenkeep-server")
    }

    /// RFC 9068 section 3: the audience of a client's access tokens.
    pub fn audience_of(&self, client: &str) -> &str {
        let own = self.audiences.iter().find(|(name, _)| name == client);
        own.map_or(&self.audience, |(_, audience)| audience)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Signed: a resource server checks the token alone, with the key from `/auth/jwks.json`.
    Jwt,
    /// A reference: the token itself says nothing, and a resource server asks `/oauth/introspect`.
    Opaque,
}

/// Which logins get tokens that are bound to a key (RFC 9449), and whether unbound tokens are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dpop {
    Off,
    /// Logins that bring a proof.
    Allowed,
    /// All logins.
    Required,
}

/// A confidential client (RFC 6749 section 2.1): a resource server or an administrator's tool.
#[derive(Clone, Debug)]
pub struct Client {
    pub id: String,
    pub secret: Secret,
}

#[derive(Clone, Debug)]
pub struct NewUser {
    pub name: String,
    pub password: Secret,
    pub roles: Vec<String>,
    /// The secret of an authenticator app, in the form that `totp::secret` reads.
    pub second_factor: Option<Secret>,
}

/// The canonical spelling of an account's name, for the store, tokens and rate limits.
pub fn account_name(typed: &str) -> String {
    typed.trim().to_lowercase()
}

/// A number of events per window of time.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    pub count: u64,
    pub window: Duration,
}

impl Limit {
    pub const fn per_minute(count: u64) -> Self {
        Self { count, window: Duration::from_secs(60) }
    }
}
