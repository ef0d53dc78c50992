//! Proofs of possession (RFC 9449). The core decides what the proofs contain and classifies the responses. The
//! platform keeps the keys and signs (`dpop.js`).

use std::cell::RefCell;

use super::task::result_of;
use futures::future::LocalBoxFuture;
use js_sys::{Date, Promise};
use wasm_bindgen::prelude::*;
use web_sys::{AbortSignal, Response};
use zeroize::Zeroizing;

use super::answer;
use super::auth_call::Job;
use super::call::Outgoing;
use super::error::Fault;
use super::fetch::as_response;
use super::platform::{self, Record, Texts};
use super::shell::{Host, Shell};
use crate::core::{
    Code, Dpop, DpopKeys, Draft, Failure, Kind, Objection, ProofAnswer, Secret, Set, Step, Ticket,
    set_proof,
};

#[wasm_bindgen(module = "/src/browser/dpop.js")]
extern "C" {
    #[wasm_bindgen(js_name = Object)]
    type Keyring;

    fn keyring(database: Option<&str>) -> Keyring;

    #[wasm_bindgen(method)]
    fn prove(
        this: &Keyring,
        which: f64,
        method: &str,
        target: &str,
        issued: f64,
        nonce: Option<&str>,
        token: Option<&str>,
        signal: Option<&AbortSignal>,
    ) -> Promise;

    #[wasm_bindgen(method)]
    fn keep(this: &Keyring) -> Promise;

    #[wasm_bindgen(method)]
    fn forget(this: &Keyring) -> Promise;
}

/// Numbers for the session's key, and for a new key.
const SESSIONS: u64 = 0;
const NEW: u64 = 1;

/// Makes the proofs of a manager with the option `dpop`.
pub(super) struct Prover {
    keys: Keyring,
    servers: RefCell<Dpop>,
}

/// The proof of a call.
pub(super) struct Proven {
    signed: Zeroizing<String>,
    /// The access token, if the call carries it.
    token: Option<Secret>,
    /// The number of the key.
    pub(super) key: u64,
    /// Whether the key was made for this login.
    pub(super) is_new: bool,
    draft: Draft,
}

impl Proven {
    /// Whether the call carries the access token.
    pub(super) fn has_token(&self) -> bool {
        self.token.is_some()
    }

    /// Sets its header fields.
    pub(super) fn set(&self, set: Set<'_>) {
        set_proof(&self.signed, self.token.as_ref(), set);
    }
}

/// A proof for the platform to sign.
pub(super) struct Proving {
    draft: Draft,
    token: Option<Secret>,
    is_new: bool,
}

impl Proving {
    /// Reads the signed proof. `None`: the key is not available, or the signal is aborted.
    pub(super) fn signed(self, signed: Option<JsValue>) -> Option<Proven> {
        let Self { draft, token, is_new } = self;
        let made: Record = signed.filter(|signed| !signed.is_undefined())?.unchecked_into();
        let signed = Zeroizing::new(made.text("proof")?);
        Some(Proven { signed, token, key: made.number("key")? as u64, is_new, draft })
    }
}

impl Prover {
    /// `database`: the name of the database that stores the keys.
    pub(super) fn new(keys: DpopKeys, database: &str) -> Self {
        let keys = keyring((keys == DpopKeys::Stored).then_some(database));
        Self { keys, servers: RefCell::default() }
    }

    /// Makes a proof with the key of a number.
    fn prove(
        &self,
        which: u64,
        method: &str,
        url: &str,
        token: Option<Secret>,
        signal: Option<&AbortSignal>,
    ) -> (Promise, Proving) {
        let draft = self.servers.borrow().draft(url, platform::now());
        let signed = self.keys.prove(
            which as f64,
            method,
            &draft.target,
            draft.issued() as f64,
            draft.nonce.as_deref(),
            token.as_ref().map(Secret::reveal),
            signal,
        );
        (signed, Proving { draft, token, is_new: which == NEW })
    }

    /// Takes in a response. Returns whether its call should be sent again with another proof.
    pub(super) fn answered(&self, proven: &Proven, answer: &ProofAnswer) -> bool {
        self.servers.borrow_mut().answered(&proven.draft, answer, platform::now())
    }

    /// Makes the key of a login the session's. Resolves to whether the key was stored.
    pub(super) fn keep(&self) -> Promise {
        self.keys.keep()
    }

    /// The session is over.
    pub(super) fn forget(&self) {
        // The promise never rejects, so nothing waits for it.
        let _ = self.keys.forget();
    }
}

impl<H: Host> Shell<H> {
    /// The proof of an auth call, if it needs one: a refresh, a login or an exchange.
    pub(super) fn prove_auth_call(
        &self,
        job: Option<&Job<H::Call>>,
        kind: Kind,
    ) -> Option<(Promise, Proving)> {
        let prover = self.prover.as_ref()?;
        let refresh = &self.options.refresh;
        if kind == Kind::Refresh {
            // The app's refresh function sends its own request.
            let is_ours = !self.hooks.refresh.is_function();
            return is_ours
                .then(|| prover.prove(SESSIONS, &refresh.method, &refresh.url, None, None));
        }
        let job = job.filter(|job| kind == Kind::Login && job.is_wanted())?;
        let call = job.call.as_ref()?;
        let mut which = if job.carries_token_of.is_some() { SESSIONS } else { NEW };
        // A bound token is proved by its key, and the new token is bound to the same key.
        let mut token = self.token_of_login(call, job.carries_token_of).ok()?;
        match self.session.borrow().bound() {
            Some(key) if token.is_some() => which = key,
            _ => token = None,
        }
        Some(prover.prove(which, &call.method(), &call.url(), token, None))
    }

    /// Sends a request of the app with the token of its ticket. Sends it again, with a new proof, if the server
    /// objects to the proof (RFC 9449, 8 and 9).
    pub(super) fn send_proven<'a>(
        &'a self,
        prover: &'a Prover,
        call: &'a H::Call,
        ticket: Ticket,
    ) -> LocalBoxFuture<'a, Result<Response, Fault>> {
        Box::pin(async move {
            let (epoch, which, token) = {
                let session = self.session.borrow();
                (session.epoch(), session.bound(), session.credential(ticket).cloned())
            };
            let (Some(which), Some(token)) = (which, token) else {
                return as_response(result_of(self.send(call, ticket)).await);
            };
            let (method, url, signal) = (call.method(), call.url(), call.signal());
            let mut is_again = false;
            loop {
                let token = Some(token.clone());
                let (signed, proving) = prover.prove(which, &method, &url, token, signal.as_ref());
                let proven = proving.signed(result_of(signed).await.ok());
                // Another session may have begun meanwhile.
                let is_of_now = self.session.borrow().epoch() == epoch;
                let Some(proven) = proven.filter(|_| is_of_now) else {
                    let reason = signal.as_ref().map_or(JsValue::UNDEFINED, platform::reason);
                    if !reason.is_undefined() {
                        return Err(Fault::Platform(reason));
                    }
                    let code = if is_of_now { Code::NoKey } else { Code::SessionChanged };
                    return Err(Failure::new(code, Step::Request).into());
                };
                let fields = Texts::new();
                proven.set(&mut |name, value| fields.pair(name, value));
                let response = as_response(result_of(call.send(&fields)).await)?;
                if !prover.answered(&proven, &heard(&response))
                    || std::mem::replace(&mut is_again, true)
                    || !call.is_repeatable()
                {
                    return Ok(response);
                }
                answer::discard(&response);
            }
        })
    }
}

/// What a response to the app's request says about proofs. A response without an objection may come from a cache,
/// with an old `Date`.
fn heard(response: &Response) -> ProofAnswer {
    let header = |name| answer::header(response, name);
    let challenge = header("WWW-Authenticate");
    let objection = Objection::of(answer::status(response), challenge.as_deref(), None);
    let date = objection.and_then(|_| header("Date")).map(|date| Date::parse(&date));
    ProofAnswer { nonce: header("DPoP-Nonce"), date, objection }
}
