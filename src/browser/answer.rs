//! Reads the responses to refresh, login and logout, and describes them for the core.

use std::rc::Rc;

use js_sys::{Array, Promise};
use wasm_bindgen::prelude::*;
use web_sys::Response;

use super::platform::{Record, texts};
use crate::core::{
    Attach, AuthResponse, Body, Code, Flaw, Form, Kind, Life, Now, Objection, Options, Policy,
    ProofAnswer, ResponseFacts, RuleKind, Secret, TokenResponse, life, payload, retry_after,
};

#[wasm_bindgen(module = "/src/browser/http.js")]
extern "C" {
    /// Waits for the response to a call, and reads it to the end. Resolves to the record that [`read`] converts.
    pub(super) fn hear(
        call: &JsValue,
        refresh_token: Option<&str>,
        ms: u32,
        keepalive: Option<u32>,
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

    /// The members of a JSON body at [`crate::core::Rules::paths`], as lists of texts, read from a copy.
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
    fn claims(text: &str, subject: &str) -> Option<Record>;
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

/// Converts what [`hear`] has read from the response to a call of this kind. `key`: the key of the call's proof, if
/// it had one.
pub(super) fn read(
    heard: JsValue,
    kind: Kind,
    options: &Options,
    policy: &Policy,
    key: Option<u64>,
    now: Now,
) -> Box<Reading> {
    if heard.is_undefined() {
        return Reading::late();
    }
    let heard: &Record = heard.unchecked_ref();
    let by = heard.value("by");
    let unread = match (heard.is("isRedirect"), heard.is("isForeign")) {
        (true, _) => Some(Body::Redirect),
        (_, true) => Some(Body::Foreign),
        _ => None,
    };
    if let Some(body) = unread {
        let response = AuthResponse { status: 0, body, rejected: None, retry_after: None };
        return Reading::of(Ok(response), by);
    }
    let Some(status) = heard.number("status") else {
        return Reading::of(Err(Code::Network), by);
    };
    let status = status as u16;
    let json = heard.value("json");
    let error = heard.text("error");
    let access_token = heard.text("accessToken");
    let refresh_token = heard.text("refreshToken");
    let known = Life {
        expires_in: heard.number("expiresIn"),
        expires_at: heard.number("expiresAt"),
        date: heard.number("date"),
        ..Life::default()
    };
    let session = Life { expires_in: heard.number("sessionExpiresIn"), ..Life::default() };
    let retry_after = retry_after(
        heard.number("retryAfter"),
        heard.number("retryDate"),
        known.date.unwrap_or(now.wall as f64),
    );
    let challenge = heard.text("challenge");
    let is_bound = heard.text("tokenType").is_some_and(|kind| kind.eq_ignore_ascii_case("DPoP"));
    let proofs = ProofAnswer {
        nonce: heard.text("nonce"),
        date: known.date,
        objection: Objection::of(status, challenge.as_deref(), error.as_deref()),
    };
    let form = match (json.is_undefined(), heard.is("isEmpty")) {
        (false, _) => Form::Json,
        (true, true) => Form::Empty,
        (true, false) => Form::Other,
    };
    let (mut rejected, mut is_incomplete) = (None, false);
    // The result of the app's refresh function needs no classification.
    if status != 0 {
        let body = &heard.list("members").as_ref().map(lists).unwrap_or_default();
        let header = &|name: &str| header(by.unchecked_ref(), name);
        let challenge = challenge.as_deref();
        let facts = ResponseFacts {
            status,
            challenge,
            redirected: heard.is("isRedirected"),
            network_error: false,
            body,
            header,
        };
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
    } else if heard.is("isNone") {
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

/// Lists of texts.
pub(super) fn lists(list: &Array) -> Vec<Vec<String>> {
    let mut lists = Vec::new();
    for at in 0..list.length() {
        lists.push(texts(list.get(at).unchecked_ref()));
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
        known.iat = claims.number("iat");
        known.exp = claims.number("exp");
        tokens.subject = claims.text("subject");
        tokens.issued = known.iat.map(|seconds| (seconds * 1000.0) as u64);
        tokens.claims = Some(Rc::from(text));
    }
    tokens.life = life(&known, now);
    tokens
}
