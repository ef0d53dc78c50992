//! What the answers to refresh, login and logout say, in the core's words.

use std::rc::Rc;

use js_sys::{Array, JsString, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::platform::List;
use crate::core::{
    Attach, Body, Code, Form, Grant, Heard, Life, Now, Options, Policy, Secret, Told, life,
    payload, retry_after,
};

#[wasm_bindgen(module = "/src/browser/http.js")]
extern "C" {
    /// Waits for the answer to a call, and reads it to the end.
    pub(super) fn hear(
        call: &JsValue,
        ms: u32,
        keepalive: bool,
        places: Vec<JsString>,
        paths: &str,
    ) -> Promise;

    /// The status, or zero where that cannot be read.
    pub(super) fn status(response: &Response) -> u16;

    /// Whether it came by way of a redirect.
    #[wasm_bindgen(js_name = isRedirected)]
    pub(super) fn is_redirected(response: &Response) -> bool;

    /// A header field, where it is there and not hidden by CORS.
    pub(super) fn header(response: &Response, name: &str) -> Option<String>;

    /// The members of a JSON body at [`crate::core::Rules::paths`], as texts, read from a copy.
    pub(super) fn members(response: &Response, paths: &str) -> Promise;

    /// Keeps an answer whose body is to be read later, if at all.
    pub(super) fn keep(response: &Response);

    /// Lets go of an answer that nobody will read.
    pub(super) fn discard(response: &Response);
}

#[wasm_bindgen(module = "/src/browser/json.js")]
extern "C" {
    /// `iat`, `exp` and `sub` of a JWT's payload, if it is a JSON object.
    fn claims(text: &str) -> Option<Array>;
}

/// What came of a call.
pub(super) struct Reading {
    /// What the answer said, or why there is none.
    pub(super) told: Result<Heard, Code>,
    /// The answer, or what the platform rejected with.
    pub(super) by: JsValue,
    /// The answer's JSON without the tokens.
    pub(super) json: JsValue,
}

impl Reading {
    /// There was no answer in time.
    pub(super) fn late() -> Self {
        Self { told: Err(Code::Timeout), by: JsValue::UNDEFINED, json: JsValue::UNDEFINED }
    }
}

/// Takes off what [`hear`] has read.
pub(super) fn read(list: JsValue, options: &Options, policy: &Policy, now: Now) -> Reading {
    if list.is_undefined() {
        return Reading::late();
    }
    let list = &mut List::new(list.unchecked_into());
    let by = list.value();
    let Some(status) = list.number() else {
        return Reading { told: Err(Code::Network), by, json: JsValue::UNDEFINED };
    };
    let json = list.value();
    let is_empty = list.number().is_some();
    let error = list.text();
    let access_token = list.text();
    let refresh_token = list.text();
    let mut life = Life { expires_in: list.number(), ..Life::default() };
    life.expires_at = list.number();
    life.date = list.number();
    let retry_after =
        retry_after(list.number(), list.number(), life.date.unwrap_or(now.wall as f64));
    let challenge = list.text();
    let mut rejected = None;
    // Where a function of the app's answers, there is nothing to judge.
    if policy.rules_refusals && status != 0.0 {
        let body = &list.rest();
        let (challenge, status) = (challenge.as_deref(), status as u16);
        let told = Told { status, challenge, body, ..Told::default() };
        rejected = Some(policy.rules.refuse(&told));
    }
    let form = match (json.is_undefined(), is_empty) {
        (false, _) => Form::Json,
        (true, true) => Form::Empty,
        (true, false) => Form::Other,
    };
    let is_unseen = matches!(options.attach, Attach::Cookie(_));
    let body = Body::of(form, status as u16, is_unseen, error, || {
        // A refresh token that is missing or empty keeps the one there is.
        let refresh_token = refresh_token.and_then(|text| Secret::new(text).ok());
        match access_token.map(Secret::new) {
            Some(Ok(token)) => Ok(describe(token, refresh_token, life, now)),
            Some(Err(fault)) => Err(["an access token that ", fault.reason()].concat()),
            None => Err(["no string at `", &options.access_token_at, "`"].concat()),
        }
    });
    Reading { told: Ok(Heard { status: status as u16, body, rejected, retry_after }), by, json }
}

/// Completes a grant with what its access token says of itself, if it is a JWT.
pub(super) fn describe(
    access_token: Secret,
    refresh_token: Option<Secret>,
    mut known: Life,
    now: Now,
) -> Grant {
    let mut grant = Grant { access_token, refresh_token, life: None, claims: None, subject: None };
    if let Some(text) = payload(grant.access_token.reveal())
        && let Some(claims) = claims(&text)
    {
        let mut claims = List::new(claims);
        known.iat = claims.number();
        known.exp = claims.number();
        grant.subject = claims.text();
        grant.claims = Some(Rc::from(text));
    }
    grant.life = life(&known, now);
    grant
}
