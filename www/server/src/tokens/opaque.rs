//! Opaque access tokens: a random value whose meaning only the store knows. The store has its digest.

use super::Access;
use crate::{
    random,
    secret::Secret,
    store::{Result, Store, StoreError},
};

pub async fn issue(store: &dyn Store, access: &Access, now: u64) -> Result<Secret> {
    let token = random::token();
    let record = serde_json::to_string(access).expect("a record is plain data");
    store.put_access(&random::digest(token.expose()), &record, now, access.exp * 1000).await?;
    Ok(token)
}

/// What a token of ours says. One that has expired is not found.
pub async fn find(store: &dyn Store, token: &str, now: u64) -> Result<Option<Access>> {
    let Some(record) = store.access(&random::digest(token), now).await? else {
        return Ok(None);
    };
    serde_json::from_str(&record)
        .map(Some)
        .map_err(|_| StoreError("an access token's record cannot be read".into()))
}
