//! Reading the answers to refresh, login and logout into the core's words.

use std::rc::Rc;

use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Response;

use super::json;
use crate::core::{
    Body, Grant, Heard, Life, Now, RetryAfter, Secret, Settings, life, payload, retry_after,
};

/// What an answer said, and its JSON, for whoever may have the rest of it.
pub(crate) struct Reading {
    pub(crate) heard: Heard,
    pub(crate) json: JsValue,
}

/// Reads an answer to the end.
///
/// # Errors
/// What the platform rejects with when the body breaks off.
pub(crate) async fn read(
    response: &Response,
    settings: &Settings,
    now: Now,
) -> Result<Reading, JsValue> {
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let value = json::parse(&text);
    let body = match &value {
        Some(value) => Body::Json {
            error: json::at(value, &["error".to_owned()]).as_string(),
            grant: grant(value, date(response, "Date"), settings, now),
        },
        None if text.trim().is_empty() => Body::Empty,
        None => Body::Other,
    };
    let heard = Heard { status: response.status(), body, retry_after: named_pause(response, now) };
    Ok(Reading { heard, json: value.unwrap_or(JsValue::UNDEFINED) })
}

/// The tokens in an answer, or in what way there are none that can be used.
fn grant(
    json: &JsValue,
    date: Option<f64>,
    settings: &Settings,
    now: Now,
) -> Result<Grant, String> {
    let Some(text) = json::at(json, &settings.access_token).as_string() else {
        return Err(format!("no string at `{}`", settings.access_token.join(".")));
    };
    let access_token =
        Secret::new(text).map_err(|fault| format!("an access token that {}", fault.reason()))?;
    // A refresh token that is missing or empty keeps the one there is.
    let refresh_token =
        json::at(json, &settings.refresh_token).as_string().and_then(|text| Secret::new(text).ok());
    let expires_in = json::number(&json::at(json, &settings.expires_in));
    Ok(self::describe(access_token, refresh_token, expires_in, date, now))
}

/// Completes a grant with what its access token says of itself, if it is a JWT.
pub(crate) fn describe(
    access_token: Secret,
    refresh_token: Option<Secret>,
    expires_in: Option<f64>,
    date: Option<f64>,
    now: Now,
) -> Grant {
    let claims = payload(access_token.reveal())
        .and_then(|text| json::parse(&text).map(|value| (text, value)))
        .filter(|(_, value)| value.is_object() && !js_sys::Array::is_array(value));
    let claim = |name: &str| claims.as_ref().map(|(_, value)| json::at(value, &[name.to_owned()]));
    // RFC 7519, 2: a NumericDate is a number. One that is quoted, or is no date, says nothing.
    let seconds = |name: &str| claim(name).and_then(|value| value.as_f64());
    let known = Life { expires_in, iat: seconds("iat"), exp: seconds("exp"), date };
    let subject = claim("sub").and_then(|value| value.as_string());
    Grant {
        access_token,
        refresh_token,
        life: life(&known, now),
        claims: claims.map(|(text, _)| Rc::from(text)),
        subject,
    }
}

/// The pause that `Retry-After` names, where it is there and not hidden by CORS.
fn named_pause(response: &Response, now: Now) -> Option<RetryAfter> {
    let value = response.headers().get("Retry-After").ok()??;
    let served = date(response, "Date").unwrap_or(now.wall as f64);
    retry_after(json::number(&value.as_str().into()), date(response, "Retry-After"), served)
}

/// An HTTP date (RFC 9110, 5.6.7) in milliseconds since the epoch.
fn date(response: &Response, name: &str) -> Option<f64> {
    let value = response.headers().get(name).ok()??;
    let ms = js_sys::Date::parse(&value);
    ms.is_finite().then_some(ms)
}

/// The value of `WWW-Authenticate`, where it is there and not hidden by CORS.
pub(crate) fn challenge(response: &Response) -> Option<String> {
    response.headers().get("WWW-Authenticate").ok()?
}

/// The member of a JSON body that a rule asks for, read from a copy: the body stays the caller's.
pub(crate) async fn field(response: &Response, path: &[String]) -> Option<String> {
    let content_type = response.headers().get("Content-Type").ok()??;
    if !crate::core::is_json(&content_type) {
        return None;
    }
    let copy: Response = response.clone().ok()?;
    let text = JsFuture::from(copy.text().ok()?).await.ok()?.as_string()?;
    json::text(&json::at(&json::parse(&text)?, path))
}

/// Lets go of an answer that nobody will read, so that it holds no connection.
pub(crate) fn discard(response: &Response) {
    if let Some(body) = response.body() {
        let cancelled = JsFuture::from(body.cancel());
        wasm_bindgen_futures::spawn_local(async move {
            // A body that broke off meanwhile has let go, too.
            let _ = cancelled.await;
        });
    }
}

/// The `Response` that a promise of `fetch` gave. It may come from another realm, or from whoever
/// wrapped `fetch`, so its class is not asked for.
pub(crate) fn response(value: JsValue) -> Response {
    value.unchecked_into()
}
