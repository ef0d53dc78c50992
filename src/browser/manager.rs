//! The token manager, for apps in Rust.

use std::fmt;
use std::rc::Rc;

use wasm_bindgen::JsValue;
use web_sys::{Request, Response};

use super::call::{Outgoing, Taken};
use super::error::{FetchError, TokenError};
use super::platform;
use super::shell::{Notice, Shell, Subscription};
use super::task::handed;
use super::written::written;
use crate::core::{Code, Options, Resource, Secret, Snapshot, Step};

/// Tokens that an app got by a login of its own.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The length of its life in seconds (RFC 6749, 5.1), if known.
    pub expires_in: Option<f64>,
    /// The refresh token, where no cookie holds it.
    pub refresh_token: Option<Secret>,
}

/// Keeps the access token of a single-page app, and puts it on its requests.
///
/// Clones are the same manager. Dropping the last one disposes of it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use tokenkeep::{Options, TokenManager};
///
/// let auth = TokenManager::new(Options::new("/auth/refresh"))?;
/// let request = web_sys::Request::new_with_str("/api/me").map_err(|_| "no such URL")?;
/// let response = auth.fetch(&request).await?;
/// assert_eq!(response.status(), 200);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct TokenManager {
    owner: Rc<Owner>,
}

/// Two are equal that are clones of each other: what a framework asks to know whether to render.
impl PartialEq for TokenManager {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.owner, &other.owner)
    }
}

impl fmt::Debug for TokenManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenManager").finish_non_exhaustive()
    }
}

/// Disposes of the shell when the last clone of the manager goes.
struct Owner(Rc<Shell>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.dispose();
    }
}

impl TokenManager {
    /// Makes a manager for the page, or the worker, that this runs in.
    ///
    /// # Errors
    /// [`Code::InvalidOption`], naming the option and what it takes.
    pub fn new(options: Options) -> Result<Self, TokenError> {
        let base = platform::base();
        Ok(Self { owner: Rc::new(Owner(Shell::new(&written(&options), base.as_deref())?)) })
    }

    fn shell(&self) -> &Rc<Shell> {
        &self.owner.0
    }

    /// Sends a request: with the token, if its URL lies under one of the APIs, and once more after
    /// a refresh, if that is what the answer calls for. A clone of the request is sent, so that its
    /// body can be sent again; where that comes from a stream, the request itself, once.
    ///
    /// A redirect that would take the token to where it must not go is an error of the platform's.
    ///
    /// # Errors
    /// [`FetchError::Platform`] with whatever the platform's `fetch` rejects with, untouched;
    /// [`FetchError::Token`] if the session's part failed.
    ///
    /// What the call belongs to is settled at once, before the future is polled. So it is with all
    /// methods.
    pub fn fetch(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<Response, FetchError>> + 'static {
        // The body is the caller's to use up from here on.
        let begun = Taken::new(request).map(|call| {
            let begun = self.shell().begin(&call);
            (call, begun)
        });
        let shell = Rc::clone(self.shell());
        handed(async move {
            let (call, begun) = begun.map_err(FetchError::Platform)?;
            shell.fetch(&call, begun).await
        })
    }

    /// Sends credentials, and takes the tokens out of the answer. Resolves to the rest of its JSON.
    ///
    /// # Errors
    /// [`FetchError::Platform`] with the reason of the request's signal, if that is aborted. Else a [`TokenError`]:
    /// [`Code::Rejected`] with the `Response` as its cause, for wrong credentials; the outages;
    /// [`Code::SessionChanged`] if the user signed out meanwhile.
    pub fn login(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<JsValue, FetchError>> + 'static {
        self.login_call(request, false)
    }

    /// Sends a call that sets the refresh cookie and brings a new token for whom the session is:
    /// another organisation, another user that one acts as, and back. It is a login that carries the
    /// present token, renewed first if it must be; its answer begins a new session in all tabs.
    ///
    /// # Errors
    /// As [`TokenManager::login`]; [`Code::SignedOut`] without a session.
    pub fn exchange(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<JsValue, FetchError>> + 'static {
        self.login_call(request, true)
    }

    fn login_call(
        &self,
        request: &Request,
        carries_token: bool,
    ) -> impl Future<Output = Result<JsValue, FetchError>> + 'static {
        let asked = copy(request, Step::Login)
            .map(|request| self.shell().login(Rc::new(request), carries_token));
        handed(async move { asked?.outcome().await })
    }

    /// Says that the user has signed in where no script of this crate could see it, as by a redirect.
    /// A new session begins in all tabs, and a logout that is owed is taken back. The next call that
    /// needs a token asks the server for one.
    ///
    /// # Errors
    /// [`Code::Disposed`].
    pub fn signed_in(&self) -> Result<(), TokenError> {
        self.shell().signed_in()
    }

    /// Begins a session with tokens that the app got by itself.
    ///
    /// # Errors
    /// [`Code::Disposed`].
    pub fn set_tokens(&self, tokens: Tokens) -> Result<(), TokenError> {
        self.shell().set_tokens(tokens)
    }

    /// Asks for a new token now, or joins a refresh in flight.
    ///
    /// # Errors
    /// [`Code::Rejected`] if the session is over; the outages; [`Code::SessionChanged`] if the
    /// session was ended meanwhile.
    pub fn refresh(&self) -> impl Future<Output = Result<(), TokenError>> + 'static {
        handed(self.shell().refresh(false))
    }

    /// Ends the session here and in every tab, at once, then tells the server: with the request
    /// given, else with the option `logout`.
    ///
    /// # Errors
    /// What kept the server from being told: [`FetchError::Platform`] with the reason of the request's signal, if
    /// that is aborted, else a [`TokenError`]. The session is over all the same, and the logout is
    /// finished at the next start.
    pub fn logout(
        &self,
        request: Option<&Request>,
    ) -> impl Future<Output = Result<(), FetchError>> + 'static {
        let call = request.map(|request| copy(request, Step::Logout)).transpose();
        let asked = call
            .map(|call| self.shell().logout(call.map(|call| Rc::new(call) as Rc<dyn Outgoing>)));
        handed(async move { asked?.outcome().await.map(|_| ()) })
    }

    /// What is known of the session.
    pub fn state(&self) -> Snapshot {
        self.shell().session.borrow().snapshot()
    }

    /// The access token, for what cannot go through [`TokenManager::fetch`], such as a `WebSocket`.
    /// Renews it first where that is due.
    ///
    /// # Errors
    /// [`Code::NotExposed`] unless the option `expose_token` is set; [`Code::SignedOut`] without a
    /// session; the outages.
    pub fn access_token(&self) -> impl Future<Output = Result<Secret, TokenError>> + 'static {
        handed(self.shell().access_token(None))
    }

    /// The access token after `refused`, which the resource at the URL `by` has refused: that one is
    /// not given again to who says so. All who say so of one token bring about one refresh.
    ///
    /// # Errors
    /// As [`TokenManager::access_token`]; [`Code::Forbidden`] where the resource has refused a newer
    /// token, too.
    pub fn access_token_after(
        &self,
        refused: &Secret,
        by: &str,
    ) -> impl Future<Output = Result<Secret, TokenError>> + 'static {
        handed(self.shell().access_token(Some((refused.clone(), Resource::reported(by)))))
    }

    /// The access token, if one is there and has not ended: for what cannot wait. Nobody is asked for a
    /// newer one.
    ///
    /// # Errors
    /// [`Code::NotExposed`] unless the option `expose_token` is set.
    pub fn peek_access_token(&self) -> Result<Option<Secret>, TokenError> {
        self.shell().peek()
    }

    /// The state, as soon as it is known whether somebody is signed in: where nobody has asked the server
    /// yet, this does. With [`Restore::Manual`](crate::Restore::Manual) it says at once that nothing is known.
    ///
    /// # Errors
    /// The outages: then nothing is known still.
    pub fn known(&self) -> impl Future<Output = Result<Snapshot, TokenError>> + 'static {
        let (known, shell) = (self.shell().refresh(true), Rc::clone(self.shell()));
        handed(async move {
            known.await?;
            Ok(shell.session.borrow().snapshot())
        })
    }

    /// Calls the listener with each [`Notice`], until the subscription is dropped.
    pub fn subscribe(&self, listener: impl Fn(&Notice) + 'static) -> Subscription {
        self.shell().subscribe(listener)
    }
}

/// A copy of a request whose body the caller may use up.
fn copy(request: &Request, step: Step) -> Result<Request, TokenError> {
    request
        .clone()
        .map_err(|error| TokenError::new(Code::InvalidArgument, step).with_cause(Some(error)))
}
