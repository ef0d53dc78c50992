//! The successor of a refresh token, stored so that a lost answer costs nobody the session.
//!
//! The store keeps it sealed: combined with a digest of the old token, so that only the owner of the old
//! token can read it. A digest of 256 random bits, used once, is a one-time pad: there is no key to keep.
//!
//! If an exchange is in doubt (the store failed halfway, or the client hung up before the answer), the
//! successor was given to nobody. It is remembered, and the next use of the old token tries the same
//! successor again. That does not count as a second use, because one of the two uses got nothing.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, PoisonError},
};

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::{secret::Secret, store::Key};

/// Seals a text, and opens a sealed one. `None`: it was sealed under another token.
pub fn seal(old: &Secret, text: &str) -> Option<Secret> {
    let mut bytes: [u8; 32] = Base64UrlUnpadded::decode_vec(text).ok()?.try_into().ok()?;
    let pad =
        Sha256::new_with_prefix("tokenkeep successor: ").chain_update(old.expose()).finalize();
    bytes.iter_mut().zip(pad).for_each(|(byte, pad)| *byte ^= pad);
    Some(Secret::new(Base64UrlUnpadded::encode_string(&bytes)))
}

/// Beyond this number the oldest is forgotten: its retry then counts as a reuse.
const MOST: usize = 10_000;

#[derive(Default)]
pub struct InDoubt(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    successors: HashMap<Key, Secret>,
    order: VecDeque<Key>,
}

impl InDoubt {
    /// The successor to try: the one in doubt, which nobody else can take then, or `fresh`.
    pub fn attempt<'a>(&'a self, old: &Key, fresh: impl FnOnce() -> Secret) -> Attempt<'a> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).successors.remove(old);
        let successor = known.unwrap_or_else(fresh);
        Attempt { all: self, old: Some(old.clone()), successor }
    }
}

/// In doubt until settled: if it is dropped before that, it is remembered.
pub struct Attempt<'a> {
    all: &'a InDoubt,
    old: Option<Key>,
    pub successor: Secret,
}

impl Attempt<'_> {
    pub fn settle(mut self) {
        self.old = None;
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        let Some(old) = self.old.take() else {
            return;
        };
        let mut waiting = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.order.len() >= MOST
            && let Some(oldest) = waiting.order.pop_front()
        {
            waiting.successors.remove(&oldest);
        }
        waiting.order.push_back(old.clone());
        waiting.successors.insert(old, self.successor.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::place;

    #[test]
    fn a_sealed_text_is_opened_only_by_the_old_token() {
        let (old, other, new) = (place::token("a"), place::token("a"), place::token("a"));
        let sealed = seal(&old, new.expose()).expect("a token");
        assert_ne!(sealed.expose(), new.expose());
        assert_eq!(seal(&old, sealed.expose()).expect("sealed").expose(), new.expose());
        assert_ne!(seal(&other, sealed.expose()).expect("sealed").expose(), new.expose());
        assert!(seal(&old, "short").is_none());
    }

    #[test]
    fn an_unsettled_attempt_is_repeated_once() {
        let all = InDoubt::default();
        let old = Key::of(place::token("a").expose());
        let first = all.attempt(&old, || place::token("a")).successor.clone();
        let retry = all.attempt(&old, || place::token("a"));
        assert_eq!(retry.successor.expose(), first.expose());
        let second = all.attempt(&old, || place::token("a"));
        assert_ne!(second.successor.expose(), first.expose());
        second.settle();
        retry.settle();
        let fresh = all.attempt(&old, || place::token("a"));
        assert_ne!(fresh.successor.expose(), first.expose());
    }

    #[test]
    fn the_oldest_doubts_are_forgotten() {
        let all = InDoubt::default();
        let old = Key::of(place::token("a").expose());
        let first = all.attempt(&old, || place::token("a")).successor.clone();
        for _ in 0..MOST {
            drop(all.attempt(&Key::of(place::token("a").expose()), || place::token("a")));
        }
        let late = all.attempt(&old, || place::token("a"));
        assert_ne!(late.successor.expose(), first.expose());
        late.settle();
        let waiting = all.0.lock().expect("whole");
        assert!(waiting.order.len() <= MOST && waiting.successors.len() <= MOST);
    }
}
