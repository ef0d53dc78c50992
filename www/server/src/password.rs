//! Passwords: argon2id (RFC 9106), with the crate's parameters: 19 MiB, two passes, one lane, which is
//! the first of OWASP's equivalent choices.

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::{sync::Semaphore, task::spawn_blocking};

use crate::secret::Secret;

/// Each check takes 19 MiB and tens of milliseconds of a core. A crowd at the login waits its turn here
/// instead of taking the machine's memory.
const AT_ONCE: usize = 4;

pub struct Passwords {
    turns: Semaphore,
    nobody: String,
}

pub fn hash(password: &Secret) -> String {
    Argon2::default()
        .hash_password(password.expose().as_bytes())
        .expect("argon2 takes any password of this length")
        .to_string()
}

impl Passwords {
    pub fn new() -> Self {
        Self { turns: Semaphore::new(AT_ONCE), nobody: hash(&Secret::new(crate::random::id())) }
    }

    /// Whether the password is right. `None`: there is no such user. Then a hash that nobody has is
    /// checked all the same, so that the time taken does not tell which names exist.
    pub async fn right(&self, stored: Option<String>, password: Secret) -> bool {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let _turn = self.turns.acquire().await.expect("never closed");
        let right = spawn_blocking(move || {
            PasswordHash::new(&stored).is_ok_and(|hash| {
                Argon2::default().verify_password(password.expose().as_bytes(), &hash).is_ok()
            })
        })
        .await
        .unwrap_or(false);
        right && known
    }
}
