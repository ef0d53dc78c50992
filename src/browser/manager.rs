//! The token manager, for apps in Rust.

use std::fmt;
use std::rc::Rc;

use futures::TryFutureExt;
use wasm_bindgen::JsValue;
use web_sys::{Request, Response};

use super::auth_call::Outcome;
use super::call::Given;
use super::error::{Fault, FetchError, TokenError};
use super::listeners::{Listeners, Notice, Subscription};
use super::platform;
use super::shell::Shell;
use super::task::handed;
use super::written::written;
use crate::core::{Code, Failure, Flaw, Options, Resource, Secret, Snapshot, Step};

/// Tokens that an app got by its own login.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// The access token.
    pub access_token: Secret,
    /// The lifetime of the access token in seconds (RFC 6749, 5.1), if known.
    pub expires_in: Option<f64>,
    /// The refresh token, unless it is in a cookie.
    pub refresh_token: Option<Secret>,
}

/// Keeps the access token of a single-page app, and puts it on its requests.
///
/// Clones share one manager. Dropping the last clone disposes the manager.
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

/// Clones of one manager are equal. Frameworks compare values to decide whether to render.
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

/// Disposes the shell when the last clone of the manager is dropped.
struct Owner {
    shell: Rc<Shell<Rc<Listeners>>>,
    listeners: Rc<Listeners>,
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shell.dispose();
        self.listeners.clear();
    }
}

impl TokenManager {
    /// Makes a manager for the page or worker that this runs in.
    ///
    /// # Errors
    /// [`Code::InvalidOption`], naming the option and what it takes.
    pub fn new(options: Options) -> Result<Self, TokenError> {
        let base = platform::base();
        let listeners = Rc::<Listeners>::default();
        let shell = Shell::new(&written(&options), base.as_deref(), Rc::clone(&listeners))?;
        Ok(Self { owner: Rc::new(Owner { shell, listeners }) })
    }

    fn shell(&self) -> &Rc<Shell<Rc<Listeners>>> {
        &self.owner.shell
    }

    /// Sends a request. It carries the token if its URL is under one of the APIs, and is sent again after a refresh
    /// if the response requires one. A clone of the request is sent, so that its body can be sent again. A request
    /// with a stream body is sent itself, once.
    ///
    /// A redirect that would take the token to a wrong place is an error of the platform.
    ///
    /// # Errors
    /// [`FetchError::Platform`] with the unchanged value that the platform's `fetch` rejects with;
    /// [`FetchError::Token`] if there is no token for it.
    ///
    /// Like every method, it starts at the time of the call, not of the first poll. Dropping the future ends it, and
    /// nothing more is sent.
    pub fn fetch(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<Response, FetchError>> + 'static {
        // From here on, the caller may use up the body.
        let call = Given::taken(request, self.shell());
        let shell = Rc::clone(self.shell());
        handed(async move {
            let call = call.map_err(FetchError::Platform)?;
            shell.clone().fetch(&call, None).await.map_err(|fault| shell.explain(fault))
        })
    }

    /// Sends credentials, and takes the tokens from the response. Resolves to the rest of its JSON.
    ///
    /// # Errors
    /// [`FetchError::Platform`] with the reason of the request's signal, if that is aborted. Otherwise a
    /// [`TokenError`]: [`Code::Rejected`] with the `Response` as its cause, for wrong credentials; the outages;
    /// [`Code::SessionChanged`] if the user signed out meanwhile.
    pub fn login(
        &self,
        request: &Request,
    ) -> impl Future<Output = Result<JsValue, FetchError>> + 'static {
        self.login_call(request, false)
    }

    /// Sends a call that sets the refresh cookie and returns a token for another organisation, for another user to
    /// act as, or for the original user again. It is a login that carries the present token, which is renewed first
    /// if necessary. Its response begins a new session in all tabs.
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
        let shell = Rc::clone(self.shell());
        let request = copy(request, Step::Login);
        self.explained(async move { shell.login(Given::own(request?), carries_token).await })
    }

    /// Reports that the user has signed in outside of this crate, as by a redirect. A new session begins in all tabs,
    /// and a pending logout is cancelled. The next call that needs a token asks the server for one.
    ///
    /// # Errors
    /// [`Code::Disposed`].
    pub fn signed_in(&self) -> Result<(), TokenError> {
        self.shell().signed_in().map_err(|failure| self.shell().error_of(failure))
    }

    /// Begins a session with tokens that the app already has.
    ///
    /// # Errors
    /// [`Code::Disposed`].
    pub fn set_tokens(&self, tokens: Tokens) -> Result<(), TokenError> {
        self.shell().set_tokens(tokens).map_err(|failure| self.shell().error_of(failure))
    }

    /// Asks for a new token now, or joins a refresh in flight.
    ///
    /// # Errors
    /// [`Code::Rejected`] if the session is over; the outages; [`Code::SessionChanged`] if the session was ended
    /// meanwhile.
    pub fn refresh(&self) -> impl Future<Output = Result<(), TokenError>> + 'static {
        self.answered(Rc::clone(self.shell()).refresh(false))
    }

    /// Ends the session in every tab at once, then tells the server, with `request` or else the request of the
    /// option `logout`.
    ///
    /// # Errors
    /// Why the server could not be told: [`FetchError::Platform`] with the reason of the request's signal, if that
    /// is aborted, otherwise a [`TokenError`]. The session is over nevertheless, and the logout is finished at the
    /// next start.
    pub fn logout(
        &self,
        request: Option<&Request>,
    ) -> impl Future<Output = Result<(), FetchError>> + 'static {
        let shell = Rc::clone(self.shell());
        let call = request.map(|request| copy(request, Step::Logout)).transpose();
        self.explained(async move { shell.logout(call?.map(Given::own)).await }).map_ok(|_| ())
    }

    /// The present state of the session.
    pub fn state(&self) -> Snapshot {
        self.shell().session.borrow().snapshot()
    }

    /// The access token, for uses outside of [`TokenManager::fetch`], such as a `WebSocket`. Renews it first if
    /// necessary.
    ///
    /// # Errors
    /// [`Code::NotExposed`] unless the option `expose_token` is set; [`Code::SignedOut`] without a
    /// session; the outages.
    pub fn access_token(&self) -> impl Future<Output = Result<Secret, TokenError>> + 'static {
        self.answered(Rc::clone(self.shell()).access_token(None))
    }

    /// The access token that replaces `refused`, which the resource at the URL `by` has refused. Never returns
    /// `refused` again. All callers that report the same token cause one refresh.
    ///
    /// # Errors
    /// As [`TokenManager::access_token`]; [`Code::Forbidden`] if the resource has refused a newer token, too.
    pub fn access_token_after(
        &self,
        refused: &Secret,
        by: &str,
    ) -> impl Future<Output = Result<Secret, TokenError>> + 'static {
        let refused = (refused.clone(), Resource::reported(by));
        self.answered(Rc::clone(self.shell()).access_token(Some(refused)))
    }

    /// The access token, if there is one that has not expired, for code that cannot wait. Never refreshes.
    ///
    /// # Errors
    /// [`Code::NotExposed`] unless the option `expose_token` is set.
    pub fn peek_access_token(&self) -> Result<Option<Secret>, TokenError> {
        self.shell().peek().map_err(|failure| self.shell().error_of(failure))
    }

    /// The state, as soon as it is known whether somebody is signed in. Asks the server if nobody has. With
    /// [`Restore::Manual`](crate::Restore::Manual) it returns the unknown state at once.
    ///
    /// # Errors
    /// The outages. The state is still unknown then.
    pub fn known(&self) -> impl Future<Output = Result<Snapshot, TokenError>> + 'static {
        let shell = Rc::clone(self.shell());
        self.answered(Rc::clone(self.shell()).refresh(true))
            .map_ok(move |()| shell.session.borrow().snapshot())
    }

    /// Calls the listener with each [`Notice`] until the subscription is dropped.
    pub fn subscribe(&self, listener: impl Fn(&Notice) + 'static) -> Subscription {
        self.owner.listeners.add(listener)
    }

    /// Runs a call without a request of the caller's.
    fn answered<T: 'static>(
        &self,
        asked: impl Future<Output = Result<T, Failure>> + 'static,
    ) -> impl Future<Output = Result<T, TokenError>> + 'static {
        let shell = Rc::clone(self.shell());
        handed(asked.map_err(move |failure| shell.error_of(failure)))
    }

    /// Runs a login or a logout.
    fn explained(
        &self,
        asked: impl Future<Output = Outcome> + 'static,
    ) -> impl Future<Output = Result<JsValue, FetchError>> + 'static {
        let shell = Rc::clone(self.shell());
        handed(asked.map_err(move |fault| shell.explain(fault)))
    }
}

/// A copy of a request, so that the caller may use up the body of the original.
fn copy(request: &Request, step: Step) -> Result<Request, Fault> {
    request.clone().map_err(|error| {
        let flaw = Flaw::Text("the request cannot be copied, because its body was read");
        Fault::Failed(Failure::new(Code::InvalidArgument, step).with_flaw(flaw), error)
    })
}
