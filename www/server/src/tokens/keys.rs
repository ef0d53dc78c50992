//! The signing keys, and how one takes over from another without any token being refused.
//!
//! A new key is published first and signs later, when every resource server that caches the JWKS has seen it.
//! An old key signs no more, but stays published until the last token that it signed has expired. All
//! instances share the keys through the store, as one sealed text that is replaced as a whole: a writer must
//! name the text that it replaces.

use std::{cmp::Reverse, time::Duration};

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{Access, jwt::Signer};
use crate::{
    random,
    sealing::{Sealing, Unopened},
    secret::Secret,
    store::{Result, Store, StoreError},
};

/// How long after its publication a key signs. The JWKS may be cached for five minutes, and instances look
/// for new keys once a minute.
pub const PUBLISHED_FIRST: Duration = Duration::from_secs(10 * 60);

const PURPOSE: &str = "keyring";

/// The published keys, the newest first.
pub struct Keys {
    keys: Vec<Key>,
    /// The text in the store.
    text: String,
}

struct Key {
    signer: Signer,
    seed: Zeroizing<[u8; 32]>,
    created_at: u64,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    seed: String,
    created_at: u64,
}

impl Keys {
    /// The keys in the store, or a first key if the store has no trustworthy ones.
    pub async fn shared(store: &dyn Store, sealing: &Sealing, now: u64) -> Result<Self> {
        match store.keyring().await? {
            Some(text) => match open(sealing, text.clone())? {
                Some(keys) => Ok(keys),
                None => replace(store, sealing, Some(&text), vec![Key::fresh(now)]).await,
            },
            None => replace(store, sealing, None, vec![Key::fresh(now)]).await,
        }
    }

    /// Adds a key. If another instance has done so at the same time, that one counts.
    pub async fn rotate(self, store: &dyn Store, sealing: &Sealing, now: u64) -> Result<Self> {
        let old = self.text;
        let mut keys = self.keys;
        keys.insert(0, Key::fresh(now));
        replace(store, sealing, Some(&old), keys).await
    }

    /// Rotates when the newest key has reached this age, and drops keys whose tokens have all expired.
    pub async fn kept(
        self,
        store: &dyn Store,
        sealing: &Sealing,
        now: u64,
        age: Duration,
        access_ttl: Duration,
    ) -> Result<Self> {
        let newest = self.keys.first().map_or(0, |key| key.created_at);
        if now >= newest + millis(age) {
            return self.rotate(store, sealing, now).await;
        }
        // The previous key signed until its successor took over.
        let useful = |key: &Key| now < key.created_at + millis(PUBLISHED_FIRST + 2 * access_ttl);
        let count = self.keys.iter().take_while(|key| useful(key)).count() + 1;
        if count >= self.keys.len() {
            return Ok(self);
        }
        let old = self.text;
        let mut keys = self.keys;
        keys.truncate(count);
        replace(store, sealing, Some(&old), keys).await
    }

    pub fn sign(&self, access: &Access) -> Secret {
        // A token is signed when it is issued.
        self.signing(access.iat * 1000).signer.sign(access)
    }

    pub fn verify(&self, token: &str) -> Option<Access> {
        self.keys.iter().find_map(|key| key.signer.verify(token))
    }

    /// The public keys, for resource servers (RFC 7517 section 5).
    pub fn jwks(&self) -> Value {
        let keys: Vec<Value> = self.keys.iter().map(|key| key.signer.jwk()).collect();
        json!({ "keys": keys })
    }

    /// The newest key's `kid`.
    pub fn newest(&self) -> &str {
        self.keys[0].signer.id()
    }

    pub fn has(&self, id: &str) -> bool {
        self.keys.iter().any(|key| key.signer.id() == id)
    }

    /// Seals texts that the instances hand to a client and get back.
    pub fn sealing(&self) -> Sealing {
        let seeds: Vec<Secret> = self
            .keys
            .iter()
            .map(|key| Secret::new(Base64UrlUnpadded::encode_string(&*key.seed)))
            .collect();
        Sealing::new(&seeds)
    }

    /// A MAC of a text by the current signing key, which all instances know.
    pub fn mac(&self, now: u64, text: &str) -> String {
        self.signing(now).mac(text)
    }

    /// Whether one of the keys made this MAC.
    pub fn has_made(&self, text: &str, mac: &str) -> bool {
        self.keys.iter().any(|key| key.mac(text).as_bytes().ct_eq(mac.as_bytes()).into())
    }

    fn signing(&self, now: u64) -> &Key {
        let published = |key: &&Key| now >= key.created_at + millis(PUBLISHED_FIRST);
        // The very first key has no predecessor to wait for.
        self.keys.iter().find(published).unwrap_or(&self.keys[self.keys.len() - 1])
    }
}

impl Key {
    fn fresh(now: u64) -> Self {
        Self::new(random::bytes(), now)
    }

    fn new(seed: [u8; 32], created_at: u64) -> Self {
        Self { signer: Signer::new(&seed), seed: seed.into(), created_at }
    }

    fn mac(&self, text: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&*self.seed).expect("a key of any length");
        mac.update(text.as_bytes());
        Base64UrlUnpadded::encode_string(&mac.finalize().into_bytes())
    }
}

async fn replace(
    store: &dyn Store,
    sealing: &Sealing,
    old: Option<&str>,
    keys: Vec<Key>,
) -> Result<Keys> {
    let stored: Vec<Stored> = keys
        .iter()
        .map(|key| Stored {
            seed: Base64UrlUnpadded::encode_string(&*key.seed),
            created_at: key.created_at,
        })
        .collect();
    let plain = Zeroizing::new(serde_json::to_vec(&stored).expect("plain data"));
    let text = sealing.seal(PURPOSE, &plain);
    let there = store.replace_keyring(old, &text).await?;
    if there == text {
        return Ok(Keys { keys, text });
    }
    open(sealing, there)?.ok_or_else(|| StoreError("the signing keys are not sealed".into()))
}

/// `None`: the keys are unsealed although there is a secret, so they are not trusted.
fn open(sealing: &Sealing, text: String) -> Result<Option<Keys>> {
    let plain = match sealing.open(PURPOSE, &text) {
        Ok(plain) => plain,
        Err(Unopened::Plain) => return Ok(None),
        Err(Unopened::OtherSecret) => {
            let why = "the signing keys are sealed with another secret: see --key-secret-file";
            return Err(StoreError(why.into()));
        }
        Err(Unopened::Broken) => return Err(unreadable()),
    };
    let stored: Vec<Stored> = serde_json::from_slice(&plain).map_err(|_| unreadable())?;
    let mut keys = Vec::new();
    for Stored { seed, created_at } in stored {
        let seed = Zeroizing::new(seed);
        let bytes = Base64UrlUnpadded::decode_vec(&seed).ok().and_then(|it| it.try_into().ok());
        keys.push(Key::new(bytes.ok_or_else(unreadable)?, created_at));
    }
    keys.sort_by_key(|key| Reverse(key.created_at));
    if keys.is_empty() {
        return Err(unreadable());
    }
    Ok(Some(Keys { keys, text }))
}

fn unreadable() -> StoreError {
    StoreError("the signing keys cannot be read".into())
}

fn millis(time: Duration) -> u64 {
    time.as_millis() as u64
}
