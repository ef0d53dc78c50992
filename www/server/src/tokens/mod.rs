//! Access tokens: their contents, how they are made, and when they are good. There are two kinds with the
//! same meaning: a signed JWT, or an opaque reference to a record in the store.

mod jwt;
pub mod keys;

use std::{
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use keys::Keys;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    app::App,
    auth::session::Session,
    challenge::Scheme,
    config::{Config, TokenKind},
    random,
    sealing::Sealing,
    secret::Secret,
    store::{self, Family, Grant, Key, NewAccess, Store, StoreError, place},
};

/// The contents of an access token: the claims of RFC 9068, and two of our own for revocation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Access {
    pub iss: String,
    pub aud: String,
    pub sub: String,
    pub client_id: String,
    pub roles: Vec<String>,
    /// Seconds, as in JWT.
    pub iat: u64,
    pub exp: u64,
    pub jti: String,
    /// The family it was issued in, with which it ends.
    pub sid: String,
    /// The sum of the access marks at the time of issue (see `Store::revoke`).
    pub rev: u64,
    /// When the user last authenticated, and how (RFC 9068 section 2.2.1).
    pub auth_time: u64,
    pub acr: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// The thumbprint of the key that a token is bound to (RFC 9449 section 6.1).
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Confirmation {
    pub jkt: String,
}

impl Access {
    /// How the token must be sent.
    pub fn scheme(&self) -> Scheme {
        if self.cnf.is_some() { Scheme::Dpop } else { Scheme::Bearer }
    }

    fn new(grant: Grant, config: &Config) -> Self {
        let session = Session::read(&grant.family.details);
        Self {
            iss: config.issuer().into(),
            aud: config.audience_of(&grant.family.client).into(),
            sub: grant.family.user,
            client_id: grant.family.client,
            roles: grant.roles,
            iat: grant.issued_at / 1000,
            exp: grant.expires_at / 1000,
            jti: grant.jti,
            sid: grant.family.id,
            rev: grant.revision,
            auth_time: session.auth_time,
            acr: session.acr,
            cnf: session.jkt.map(|jkt| Confirmation { jkt }),
        }
    }
}

pub struct Tokens {
    kind: TokenKind,
    /// They change while the server runs: one key takes over from another, and a store that lost them may
    /// have received others since.
    keys: RwLock<Arc<Keys>>,
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

/// An access token whose contents the store has not confirmed yet. The store needs its names in the same
/// step; the token itself is made afterwards, without another call.
pub struct Draft {
    jti: String,
    /// An opaque token, and its digest.
    opaque: Option<(Secret, String)>,
    ttl: u64,
}

impl Draft {
    pub fn new(app: &App, user: &str, ttl: Duration) -> Self {
        let opaque = (app.tokens.kind == TokenKind::Opaque).then(|| {
            let token = place::token(user);
            let digest = random::digest(token.expose());
            (token, digest)
        });
        Self { jti: random::id(), opaque, ttl: ttl.as_millis() as u64 }
    }

    pub fn access(&self) -> NewAccess<'_> {
        NewAccess {
            jti: &self.jti,
            opaque: self.opaque.as_ref().map(|(_, digest)| digest.as_str()),
            ttl: self.ttl,
        }
    }

    pub fn issue(self, app: &App, grant: &Grant) -> Secret {
        match self.opaque {
            Some((token, _)) => token,
            None => app.tokens.keys().sign(&Access::new(grant.clone(), &app.config)),
        }
    }
}

impl Tokens {
    pub async fn open(
        kind: TokenKind,
        store: &dyn Store,
        sealing: &Sealing,
        now: u64,
    ) -> store::Result<Self> {
        let keys = Keys::shared(store, sealing, now).await?;
        Ok(Self { kind, keys: RwLock::new(Arc::new(keys)) })
    }

    pub fn keys(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The public keys. Opaque tokens have none.
    pub fn jwks(&self) -> Value {
        match self.kind {
            TokenKind::Jwt => self.keys().jwks(),
            TokenKind::Opaque => json!({ "keys": [] }),
        }
    }

    /// Loads the keys that the instances share now. A store that lost them gets a new one, never the old
    /// ones: it lost the denylist, too, and with a new key no old token is valid.
    pub async fn share_keys(&self, app: &App) -> store::Result<()> {
        let keys = Keys::shared(&*app.store, &app.sealing, app.clock.now()).await?;
        self.take(keys);
        Ok(())
    }

    /// The same, and rotates the keys when it is time.
    pub async fn keep_keys(&self, app: &App) -> store::Result<()> {
        let (store, sealing, now) = (&*app.store, &app.sealing, app.clock.now());
        let keys = Keys::shared(store, sealing, now).await?;
        let (age, ttl) = (app.config.key_age, app.config.access_ttl);
        self.take(keys.kept(store, sealing, now, age, ttl).await?);
        Ok(())
    }

    fn take(&self, keys: Keys) {
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
    }

    /// The contents of a token, if it is good now. The caller checks its audience.
    pub async fn check(&self, app: &App, token: &str) -> Result<Access, Refused> {
        let (access, standing) = match self.kind {
            TokenKind::Jwt => {
                let access = self.verified(app, token).await?;
                let family = Family {
                    id: access.sid.clone(),
                    user: access.sub.clone(),
                    client: access.client_id.clone(),
                    details: String::new(),
                };
                let standing = app.store.standing(&family, &access.jti, access.rev).await?;
                (access, standing)
            }
            TokenKind::Opaque => {
                let (grant, standing) = app.store.access(&Key::of(token)).await?.ok_or(UNKNOWN)?;
                (Access::new(grant, &app.config), standing)
            }
        };
        // RFC 7519 section 4.1.4: not on or after `exp`.
        if standing.now >= access.exp * 1000 {
            return Err(EXPIRED);
        }
        if standing.revoked {
            return Err(REVOKED);
        }
        Ok(access)
    }

    async fn verified(&self, app: &App, token: &str) -> Result<Access, Refused> {
        let verify = || {
            let access = self.keys().verify(token)?;
            (access.iss == app.config.issuer()).then_some(access)
        };
        if let Some(access) = verify() {
            return Ok(access);
        }
        // Another instance may have a newer key, or may have given one to a store that lost its memory.
        // Forged tokens must not make us ask the store each time.
        if jwt::key_id(token).is_none_or(|id| self.keys().has(&id)) {
            return Err(UNKNOWN);
        }
        self.share_keys(app).await?;
        verify().ok_or(UNKNOWN)
    }
}
