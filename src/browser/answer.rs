//! Reads the responses to refresh, login and logout, and describes them for the core.

use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::platform::List;
use crate::core::{
    Attach, AuthResponse, Body, Code, Flaw, Form, Kind, Life, Now, Objection, Options, Policy,
    ProofAnswer, ResponseFacts, RuleKind, Secret, TokenResponse, life, payload, retry_after,
};

#[wasm_bindgen(module = "/src/browser/http.js")]
extern "C" {
    /// Waits for the response to a call, and reads it to the end.
    pub(super) fn hear(
        call: &JsValue,
        refresh_token: Option<&str>,
        ms: u32,
        keepalive: bool,
        places: &JsValue,
        paths: &str,
    ) -> Promise;

    /// The status, or zero if it cannot be read.
    pub(super) fn status(response: &Response) -> u16;

    /// Whether the response came after a redirect.
    #[wasm_bindgen(js_name = isRedirected)]
    pub(super) fn is_redirected(response: &Response) -> bool;

    /// A header field, unless it is missing or hidden by CORS.
    pub(super) fn header(response: &Response, name: &str) -> Option<String>;

    /// The members of a JSON body at [`crate::core::Rules::paths`], as lists of texts, each after its length, read from a copy.
    /// `is_text`: no header says that it is JSON, so its first byte decides. Never rejects.
    pub(super) fn members(response: &Response, paths: &str, is_text: bool) -> Promise;

    /// Reads the body of a response into memory, in case it is read later.
    pub(super) fn keep(response: &Response);

    /// Releases a response that nobody will read.
    pub(super) fn discard(response: &Response);
}

#[wasm_bindgen(module = "/src/browser/json.js")]
extern "C" {
    /// `iat`, `exp` and the subject of a JWT's payload, if it is a JSON object.
    fn claims(text: &str, subject: &str) -> Option<Array>;
}

/// The outcome of a call.
pub(super) struct Reading {
    /// What the response said, or why there is none.
    pub(super) response: Result<AuthResponse, Code>,
    /// The response, or the error that the platform rejected with.
    pub(super) by: JsValue,
    /// The response's JSON without the tokens.
    pub(super) json: JsValue,
    /// What the response said about proofs.
    pub(super) proofs: ProofAnswer,
}

impl Reading {
    /// There was no response in time.
    pub(super) fn late() -> Box<Self> {
        Self::of(Err(Code::Timeout), JsValue::UNDEFINED)
    }

    /// There was no response, or it says no more.
    pub(super) fn of(response: Result<AuthResponse, Code>, by: JsValue) -> Box<Self> {
        Box::new(Self { response, by, json: JsValue::UNDEFINED, proofs: ProofAnswer::default() })
    }

    /// Whether there are tokens.
    pub(super) fn grants(&self) -> bool {
        let body = self.response.as_ref().map(|response| &response.body);
        matches!(body, Ok(Body::Json { tokens: Ok(_), .. }))
    }
}

/// The status that [`hear`] gives a redirect that was not followed. A lower status stands for a value that is
/// not a response.
const REDIRECT: f64 = -1.0;

/// Converts the list that [`hear`] has read from the response to a call of this kind. `key`: the key of the
/// call's proof, if it had one.
pub(super) fn read(
    list: JsValue,
    kind: Kind,
    options: &Options,
    policy: &Policy,
    key: Option<u64>,
    now: Now,
) -> Box<Reading> {
    if list.is_undefined() {
        return Reading::late();
    }
    let list = &mut List::new(list.unchecked_into());
    let by = list.value();
    let Some(status) = list.number() else {
        return Reading::of(Err(Code::Network), by);
    };
    if status < 0.0 {
        let body = if status == REDIRECT { Body::Redirect } else { Body::Foreign };
        let response = AuthResponse { status: 0, body, rejected: None, retry_after: None };
        return Reading::of(Ok(response), by);
    }
    let status = status as u16;
    let json = list.value();
    let is_empty = list.number().is_some();
    let error = list.text();
    let is_none = list.number() == Some(1.0);
    let redirected = list.number() == Some(1.0);
    let access_token = list.text();
    let refresh_token = list.text();
    let mut known = Life { expires_in: list.number(), ..Life::default() };
    known.expires_at = list.number();
    let session = Life { expires_in: list.number(), ..Life::default() };
    known.date = list.number();
    let retry_after =
        retry_after(list.number(), list.number(), known.date.unwrap_or(now.wall as f64));
    let challenge = list.text();
    let is_bound = list.text().is_some_and(|kind| kind.eq_ignore_ascii_case("DPoP"));
    let proofs = ProofAnswer {
        nonce: list.text(),
        date: known.date,
        objection: Objection::of(status, challenge.as_deref(), error.as_deref()),
    };
    let form = match (json.is_undefined(), is_empty) {
        (false, _) => Form::Json,
        (true, true) => Form::Empty,
        (true, false) => Form::Other,
    };
    let (mut rejected, mut is_incomplete) = (None, false);
    // The result of the app's refresh function needs no classification.
    if status != 0 {
        let body = &lists(list);
        let header = &|name: &str| header(by.unchecked_ref(), name);
        let challenge = challenge.as_deref();
        let facts =
            ResponseFacts { status, challenge, redirected, network_error: false, body, header };
        rejected = policy.refuses(form, &facts);
        is_incomplete = kind == Kind::Login && policy.rules.say(RuleKind::Incomplete, &facts);
    }
    let is_unseen = matches!(options.attach, Attach::Cookie(_));
    // A response that contains a token must not become the cause of an error, where it could be read. Incomplete
    // JSON may contain the token, too.
    let is_cut = kind == Kind::Refresh && form == Form::Other && status / 100 == 2;
    let has_token = is_cut || refresh_token.is_some() || (!is_unseen && access_token.is_some());
    let by = if has_token { JsValue::UNDEFINED } else { by };
    let body = if is_incomplete {
        Body::Incomplete
    } else if is_none {
        Body::NoSession
    } else {
        Body::of(form, status, is_unseen, error, || {
            // If the refresh token is missing or empty, the present one is kept.
            let refresh_token = refresh_token.and_then(|text| Secret::new(text).ok());
            match access_token.map(Secret::new) {
                Some(Ok(token)) => {
                    let mut tokens = describe(token, refresh_token, known, options, now);
                    tokens.session_life = life(&session, now);
                    tokens.bound = key.filter(|_| is_bound);
                    Ok(tokens)
                }
                Some(Err(why)) => Err(Flaw::Unusable(why)),
                None => Err(Flaw::NoString),
            }
        })
    };
    let response = Ok(AuthResponse { status, body, rejected, retry_after });
    Box::new(Reading { response, by, json, proofs })
}

/// The remaining lists of texts.
pub(super) fn lists(list: &mut List) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    while let Some(texts) = list.texts() {
        lists.push(texts);
    }
    lists
}

/// Builds a token response from these tokens, and from the claims of the access token, if it is a JWT.
pub(super) fn describe(
    access_token: Secret,
    refresh_token: Option<Secret>,
    mut known: Life,
    options: &Options,
    now: Now,
) -> TokenResponse {
    let mut tokens = TokenResponse {
        access_token,
        refresh_token: refresh_token.filter(|_| options.keeps_refresh_token()),
        life: None,
        session_life: None,
        claims: None,
        subject: None,
        issued: None,
        bound: None,
    };
    if let Some(text) = payload(tokens.access_token.reveal())
        && let Some(claims) = claims(&text, &options.subject)
    {
        let mut claims = List::new(claims);
        known.iat = claims.number();
        known.exp = claims.number();
        tokens.subject = claims.text();
        tokens.issued = known.iat.map(|seconds| (seconds * 1000.0) as u64);
        tokens.claims = Some(Rc::from(text));
    }
    tokens.life = life(&known, now);
    tokens
}
