//! Access tokens: what one says, how it is made, and when it is good. Two kinds with one meaning: a
//! signed JWT, or an opaque reference to a record in the store.

pub mod jwt;

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::{
    app::App,
    config::TokenKind,
    random,
    secret::Secret,
    store::{self, Family, Grant, Key, NewAccess, Store, StoreError, place},
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
    /// The sum of the access marks when it was issued (see `Store::revoke`).
    pub rev: u64,
}

impl From<Grant> for Access {
    fn from(grant: Grant) -> Self {
        Self {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: grant.family.user,
            client_id: grant.family.client,
            roles: grant.roles,
            iat: grant.issued_at / 1000,
            exp: grant.expires_at / 1000,
            jti: grant.jti,
            sid: grant.family.id,
            rev: grant.revision,
        }
    }
}

pub enum Tokens {
    /// The key can change while the server runs: a store that forgot it may have got another one since.
    Jwt(RwLock<Arc<jwt::Signer>>),
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

/// An access token before the store has said what it stands for. The store needs its names in the same
/// step; the token itself is made after that, without asking anybody.
pub struct Draft {
    jti: String,
    /// An opaque token, and its digest.
    opaque: Option<(Secret, String)>,
    ttl: u64,
}

impl Draft {
    pub fn new(app: &App, user: &str) -> Self {
        let opaque = matches!(app.tokens, Tokens::Opaque).then(|| {
            let token = place::token(user);
            let digest = random::digest(token.expose());
            (token, digest)
        });
        Self { jti: random::id(), opaque, ttl: app.config.access_ttl.as_millis() as u64 }
    }

    pub fn access(&self) -> NewAccess<'_> {
        NewAccess {
            jti: &self.jti,
            opaque: self.opaque.as_ref().map(|(_, digest)| digest.as_str()),
            ttl: self.ttl,
        }
    }

    pub fn issue(self, app: &App, grant: &Grant) -> Secret {
        match (&app.tokens, self.opaque) {
            (_, Some((token, _))) => token,
            (tokens, None) => tokens.signer().map_or_else(
                // `new` has looked at the same kind.
                || unreachable!("a kind of token that is neither signed nor opaque"),
                |signer| signer.sign(&grant.clone().into()),
            ),
        }
    }
}

impl Tokens {
    pub async fn open(kind: TokenKind, store: &dyn Store) -> store::Result<Self> {
        Ok(match kind {
            TokenKind::Jwt => {
                let key = store.shared_key(random::bytes()).await?;
                Self::Jwt(RwLock::new(Arc::new(jwt::Signer::new(&key))))
            }
            TokenKind::Opaque => Self::Opaque,
        })
    }

    /// The signer, where tokens are signed.
    pub fn signer(&self) -> Option<Arc<jwt::Signer>> {
        match self {
            Self::Jwt(signer) => {
                Some(signer.read().unwrap_or_else(PoisonError::into_inner).clone())
            }
            Self::Opaque => None,
        }
    }

    /// Takes the key that the instances share now. A store that forgot it gets a fresh one, never the one
    /// before: it forgot the denylist too, and with a new key no token of before is good.
    pub async fn share_key(&self, store: &dyn Store) -> store::Result<()> {
        if let Self::Jwt(signer) = self {
            let key = store.shared_key(random::bytes()).await?;
            let shared = Arc::new(jwt::Signer::new(&key));
            *signer.write().unwrap_or_else(PoisonError::into_inner) = shared;
        }
        Ok(())
    }

    /// What a token says, if it is good now.
    pub async fn check(&self, app: &App, token: &str) -> Result<Access, Refused> {
        let (access, standing) = match self.signer() {
            Some(signer) => {
                let access = match signer.verify(token) {
                    Some(access) => access,
                    None => {
                        // Perhaps another instance has given a store that forgot the key a new one.
                        self.share_key(&*app.store).await?;
                        self.signer().and_then(|signer| signer.verify(token)).ok_or(UNKNOWN)?
                    }
                };
                let family = Family {
                    id: access.sid.clone(),
                    user: access.sub.clone(),
                    client: access.client_id.clone(),
                };
                let standing = app.store.standing(&family, &access.jti, access.rev).await?;
                (access, standing)
            }
            None => {
                let (grant, standing) = app.store.access(&Key::of(token)).await?.ok_or(UNKNOWN)?;
                (grant.into(), standing)
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
}
