//! Reads the few named fields of a request's body, from JSON, a form or a multipart form (which is how a
//! page's `FormData` is sent). Bad input gets a clear 4xx, and its text is never quoted: it may be a
//! password.

use std::collections::BTreeMap;

use axum::{
    body::{Body, to_bytes},
    extract::{FromRequest, Multipart, Request},
    http::{StatusCode, header::CONTENT_TYPE},
};
use serde_json::Value;

use crate::{
    answer::{self, Failure},
    secret::Secret,
};

const MOST: usize = 16 * 1024;

#[derive(Debug, Default)]
pub struct Fields(BTreeMap<String, Secret>);

impl Fields {
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    pub fn need(&self, name: &str) -> Result<&Secret, Failure> {
        self.get(name)
            .ok_or_else(|| answer::bad_request(&format!("The field `{name}` is missing.")).into())
    }
}

pub async fn fields(request: Request) -> Result<Fields, Failure> {
    let kind = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or("")
        .trim()
        .to_ascii_lowercase();
    let (parts, body) = request.into_parts();
    let bytes = to_bytes(body, MOST).await.map_err(|_| {
        answer::error(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The body is too large.")
    })?;
    match kind.as_str() {
        "application/json" => json(&bytes),
        "application/x-www-form-urlencoded" => Ok(Fields(
            form_urlencoded::parse(&bytes)
                .map(|(name, value)| (name.into_owned(), Secret::new(value.into_owned())))
                .collect(),
        )),
        "multipart/form-data" => multipart(Request::from_parts(parts, Body::from(bytes))).await,
        _ => Err(answer::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "Send application/json, application/x-www-form-urlencoded or multipart/form-data.",
        )
        .into()),
    }
}

fn json(bytes: &[u8]) -> Result<Fields, Failure> {
    let fields: BTreeMap<String, Value> = serde_json::from_slice(bytes)
        .map_err(|_| answer::bad_request("The body is no JSON object."))?;
    Ok(Fields(
        fields
            .into_iter()
            .filter_map(|(name, value)| match value {
                Value::String(value) => Some((name, Secret::new(value))),
                Value::Bool(value) => Some((name, Secret::new(value.to_string()))),
                _ => None,
            })
            .collect(),
    ))
}

async fn multipart(request: Request) -> Result<Fields, Failure> {
    let broken = || answer::bad_request("The body is no multipart form.");
    let mut form = Multipart::from_request(request, &()).await.map_err(|_| broken())?;
    let mut fields = BTreeMap::new();
    while let Some(field) = form.next_field().await.map_err(|_| broken())? {
        let name = field.name().unwrap_or("").to_owned();
        let value = field.text().await.map_err(|_| broken())?;
        fields.insert(name, Secret::new(value));
    }
    Ok(Fields(fields))
}
