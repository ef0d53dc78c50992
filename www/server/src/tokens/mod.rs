//! Access tokens: what one says, how it is made, and when it is good. Two kinds with one meaning: a
//! signed JWT, or an opaque reference to a record in the store.

pub mod jwt;
mod opaque;

use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    config::TokenKind,
    random,
    secret::Secret,
    store::{self, Family, Store, StoreError},
};

/// Who issues the tokens, and for whom. Put your own addresses here (RFC 9068 section 2.2).
pub const ISSUER: &str = "tokenkeep-server";
pub const AUDIENCE: &str = "tokenkeep-api";

/// What an access token says: the claims of RFC 9068, and two of our own for revocation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub client_id: String,
    pub roles: Vec<String>,
    /// Seconds, as JWT counts.
    pub iat: u64,
    pub exp: u64,
    pub jti: String,
    /// The family it was issued in, so that it dies with it.
    pub sid: String,
    /// The sum of the access marks when it was issued (see `Store::bump`).
    pub rev: u64,
}

pub enum Tokens {
    Jwt(Box<jwt::Signer>),
    Opaque,
}

pub enum Refused {
    Invalid(&'static str),
    Store(StoreError),
}

const UNKNOWN: Refused = Refused::Invalid("The access token is malformed or unknown");
const EXPIRED: Refused = Refused::Invalid("The access token expired");
const REVOKED: Refused = Refused::Invalid("The access token was revoked");

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The groups that access tokens (`access`) or refresh tokens (`refresh`) can be revoked by.
pub fn marks(of: &str, user: &str, client: &str) -> [String; 3] {
    [of.to_owned(), format!("{of}:user:{user}"), format!("{of}:client:{client}")]
}

impl Tokens {
    pub async fn open(kind: TokenKind, store: &dyn Store) -> store::Result<Self> {
        Ok(match kind {
            TokenKind::Jwt => {
                let key = store.shared_key(random::bytes()).await?;
                Self::Jwt(Box::new(jwt::Signer::new(&key)))
            }
            TokenKind::Opaque => Self::Opaque,
        })
    }

    /// `revision` is the sum of the access marks, read before the family was found good: whoever revokes
    /// bumps the refresh marks first, so a revocation in between makes this token a dead one.
    pub async fn issue(
        &self,
        app: &App,
        family: &Family,
        roles: Vec<String>,
        revision: u64,
    ) -> store::Result<Secret> {
        let now = app.clock.now();
        let until = now + app.config.access_ttl.as_millis() as u64;
        let access = Access {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: family.user.clone(),
            client_id: family.client.clone(),
            roles,
            iat: now / 1000,
            // Rounded up: it lives at least as long as `expires_in` promises.
            exp: until.div_ceil(1000),
            jti: random::id(),
            sid: family.id.clone(),
            rev: revision,
        };
        match self {
            Self::Jwt(signer) => Ok(signer.sign(&access)),
            Self::Opaque => opaque::issue(&*app.store, &access, now).await,
        }
    }

    /// What a token says, if it is good now.
    pub async fn check(&self, app: &App, token: &str) -> Result<Access, Refused> {
        let now = app.clock.now();
        let access = match self {
            Self::Jwt(signer) => signer.verify(token),
            Self::Opaque => opaque::find(&*app.store, token, now).await?,
        };
        let access = access.ok_or(UNKNOWN)?;
        // RFC 7519 section 4.1.4: not on or after `exp`.
        if now >= access.exp * 1000 {
            return Err(EXPIRED);
        }
        if app.store.any_denied(&[&access.jti, &access.sid], now).await? {
            return Err(REVOKED);
        }
        let revision = app.store.sum(&marks("access", &access.sub, &access.client_id)).await?;
        if revision != access.rev {
            return Err(REVOKED);
        }
        Ok(access)
    }
}
