//! Passwords: argon2id (RFC 9106) with the crate's parameters: 19 MiB, two passes, one lane. This is the
//! first of the choices that OWASP lists as equivalent.

mod pool;

use argon2::{
    Algorithm, Argon2, Block, Params, Version,
    password_hash::{PasswordHasher, phc::PasswordHash},
};
use subtle::ConstantTimeEq;

use crate::secret::Secret;
use pool::Pool;
pub use pool::{Busy, Turn};

pub struct Passwords {
    pool: Pool,
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
        Self { pool: Pool::new(), nobody: hash(&Secret::new(crate::random::id())) }
    }

    /// Whether the password is right. `None`: there is no such user. Then a dummy hash is checked all the
    /// same, so that the time taken does not reveal which names exist.
    pub async fn right(
        &self,
        turn: Turn,
        stored: Option<String>,
        password: Secret,
    ) -> Result<bool, Busy> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.nobody.clone());
        let right = self.pool.run(turn, move |memory| verify(memory, &stored, &password)).await?;
        Ok(right && known)
    }

    /// The stored form of a new password.
    pub async fn hash(&self, turn: Turn, password: Secret) -> Result<String, Busy> {
        self.pool.run(turn, move |_| hash(&password)).await
    }
}

/// The crate's own `verify_password` allocates memory for each check; this function uses the thread's memory.
fn verify(memory: &mut Vec<Block>, stored: &str, password: &Secret) -> bool {
    try_verify(memory, stored, password).unwrap_or(false)
}

fn try_verify(memory: &mut Vec<Block>, stored: &str, password: &Secret) -> Option<bool> {
    let stored = PasswordHash::new(stored).ok()?;
    let algorithm = Algorithm::try_from(stored.algorithm.as_str()).ok()?;
    let version = Version::try_from(stored.version?).ok()?;
    let params = Params::try_from(&stored).ok()?;
    let (salt, expected) = (stored.salt?, stored.hash?);

    memory.resize(params.block_count().max(memory.len()), Block::default());
    let mut found = vec![0; expected.as_bytes().len()];
    Argon2::new(algorithm, version, params)
        .hash_password_into_with_memory(
            password.expose().as_bytes(),
            salt.as_ref(),
            &mut found,
            memory.as_mut_slice(),
        )
        .ok()?;
    Some(found.ct_eq(expected.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_right_only_for_its_own_hash() {
        let mut memory = Vec::new();
        let (right, wrong) =
            (Secret::new("wonderland".into()), Secret::new("looking-glass".into()));
        let stored = hash(&right);
        for _ in 0..2 {
            assert!(verify(&mut memory, &stored, &right));
            assert!(!verify(&mut memory, &stored, &wrong));
        }
        assert!(!verify(&mut memory, "no hash", &right));
    }
}
