//! The [`Shell`], which all parts of this module share. It reports events to the session, and carries out the
//! session's commands.

use std::cell::{Cell, RefCell, RefMut};
use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::JsValue;

use super::answer;
use super::auth_call::Job;
use super::call::Outgoing;
use super::channel::{self, Channel};
use super::dpop::Prover;
use super::error::{Fault, FetchError, TokenError};
use super::lock::Lock;
use super::manager::Tokens;
use super::options::{self, Hooks};
use super::pending_logout::PendingLogout;
use super::platform::{self, Record};
use super::renewal_timer::RenewalTimer;
use super::shared_outcome::{Settler, SharedOutcome, shared_outcome};
use super::task::{next_turn, spawn};
use crate::core::{
    AuthCall, Code, Departure, Effect, Event, Failure, Identity, Life, Mark, Now, Options, Owed,
    Policy, Reason, RefreshOutcome, Restore, Secret, Session, Snapshot, Step, Tabs, longest_hold,
    owed,
};

/// The details of an event.
#[derive(Clone, Debug, Default)]
pub struct Detail {
    /// For [`Event::Refresh`]: the response's JSON without the tokens, if this tab has refreshed.
    pub answer: JsValue,
    /// For [`Event::RefreshError`], and for [`Event::SignOut`] after a refusal: the error, with the
    /// platform's error or the `Response` as its cause.
    pub error: Option<TokenError>,
}

/// The side of the app: it gets the news, and makes the calls.
pub(crate) trait Host: 'static {
    /// Its requests.
    type Call: Outgoing + 'static;
    /// The snapshot has changed. Runs no code of the app, because the shell is at work.
    fn changed(&self, snapshot: Snapshot);
    /// Something happened. Likewise.
    fn happened(&self, event: Event, detail: Detail);
    /// Notifies the app of the news since the last time.
    fn notify(&self);
}

/// A refresh with callers that wait for it.
struct Waiting {
    auth_call: AuthCall,
    settler: Settler<RefreshOutcome>,
    outcome: SharedOutcome<RefreshOutcome>,
}

/// The state that all parts of this module share. [`TokenManager`] and the JavaScript bindings use it.
pub(crate) struct Shell<H: Host> {
    host: H,
    pub(super) session: RefCell<Session>,
    pub(super) hooks: Hooks,
    /// The paths of JSON bodies that rules look at.
    pub(super) paths: String,
    pub(super) options: Box<Options>,
    pub(super) policy: Rc<Policy>,
    /// The origin of the page, if there is one.
    pub(super) page: Option<String>,
    pub(super) lock: Lock,
    pending_logout: PendingLogout,
    /// Makes proofs, with the option `dpop`.
    pub(super) prover: Option<Prover>,
    /// The token for a failed logout, until the server has been told.
    pub(super) kept: RefCell<Option<Secret>>,
    /// The logins and logouts whose turn has not come yet.
    pub(super) jobs: RefCell<Vec<Rc<Job<H::Call>>>>,
    /// The platform's error or the response of the last refresh.
    pub(super) cause: RefCell<JsValue>,
    /// The JSON of its response without the tokens, for the event.
    pub(super) answer: RefCell<JsValue>,
    /// The last refusal, for the event.
    refusal: Cell<Option<Failure>>,
    waiting_for_refresh: RefCell<Vec<Waiting>>,
    channel: RefCell<Option<Channel>>,
    renewal_timer: RefCell<Option<RenewalTimer>>,
    /// The app's refresh function is running. A call from it would wait for itself.
    pub(super) is_in_refresh: Cell<bool>,
}

impl<H: Host> Shell<H> {
    /// `given`: the options in the form of an app in JavaScript.
    pub(crate) fn new(
        given: &JsValue,
        base: Option<&str>,
        host: H,
    ) -> Result<Rc<Self>, TokenError> {
        let (mut options, rules, hooks, Identity { turn, share, key }) = options::read(given, base)
            .map_err(|text| TokenError::invalid(Code::InvalidOption, Step::Setup, &text))?;
        let origin = platform::origin();
        // On a server there are no tabs and no page to come back to, and open handles would keep the program running.
        let is_page = origin.is_some();
        let page = origin.filter(|origin| origin != "null");
        let mut policy = options.policy(rules);
        if share.is_none() && policy.tabs == Tabs::Share {
            platform::notice(NAMELESS);
            policy.tabs = Tabs::Lock;
        }
        let policy = Rc::new(policy);
        let takes_turns = is_page && policy.tabs != Tabs::Off;
        let now = platform::now();
        let pending_logout = PendingLogout::new(share.as_deref());
        let mark = pending_logout.mark(now);
        let owed =
            owed(mark, options.logout.is_some(), mark.is_some() && platform::may_be_sign_in(), now);
        match owed {
            // The mark is too old to belong to a present session.
            Owed::Nothing if mark.is_some() => pending_logout.set(None),
            Owed::Untold => platform::notice(UNTOLD),
            _ => {}
        }
        let session = Session::new(Rc::clone(&policy), owed, now);
        let shell = Rc::new(Self {
            host,
            session: RefCell::new(session),
            hooks,
            paths: policy.rules.paths(),
            page,
            lock: Lock::new(takes_turns.then_some(turn), longest_hold(&options)),
            pending_logout,
            prover: options.dpop.map(|keys| Prover::new(keys, &key)),
            kept: RefCell::default(),
            jobs: RefCell::default(),
            cause: RefCell::default(),
            answer: RefCell::default(),
            refusal: Cell::default(),
            waiting_for_refresh: RefCell::default(),
            channel: RefCell::default(),
            renewal_timer: RefCell::default(),
            is_in_refresh: Cell::default(),
            options,
            policy,
        });
        if let Some(share) = share.filter(|_| takes_turns) {
            // A refresh token in memory is handed to the other tabs.
            let seals = shell.options.keeps_refresh_token() && shell.policy.tabs == Tabs::Share;
            let this = Rc::downgrade(&shell);
            shell.channel.replace(Channel::open(&share, seals, move |message| {
                if let Some(shell) = this.upgrade() {
                    shell.heard(message);
                }
            }));
        }
        if shell.policy.restore == Restore::Eager {
            shell.look_for_hint();
        }
        if is_page {
            let this = Rc::downgrade(&shell);
            shell.renewal_timer.replace(Some(RenewalTimer::new(move |is_visible| {
                let Some(shell) = this.upgrade() else { return };
                if is_visible {
                    shell.tell(|session, now| session.renewal_timer_fired(now));
                } else {
                    shell.drain();
                }
            })));
        }
        // Start in a later turn, so that the app can add its listeners first.
        let this = Rc::clone(&shell);
        spawn(Box::pin(async move {
            let _ = next_turn().await;
            this.drain();
        }));
        Ok(shell)
    }

    /// A message of another tab has arrived, or some may have been missed.
    fn heard(self: &Rc<Self>, message: Option<Record>) {
        let Some(message) = message else {
            return self.tell(|session, _| session.came_back());
        };
        if let Some(message) = channel::read(&message, &self.options) {
            self.tell(|session, now| session.heard(message, now));
        }
    }

    /// # Errors
    /// [`Code::Disposed`], after the disposal.
    pub(super) fn alive(&self, step: Step) -> Result<(), Failure> {
        self.session.borrow().alive(step)
    }

    pub(crate) fn set_tokens(self: &Rc<Self>, tokens: Tokens) -> Result<(), Failure> {
        self.alive(Step::Login)?;
        let Tokens { access_token, expires_in, refresh_token } = tokens;
        let (known, now) = (Life { expires_in, ..Life::default() }, platform::now());
        let tokens = answer::describe(access_token, refresh_token, known, &self.options, now);
        self.tell(|session, now| session.set_tokens(tokens, now));
        Ok(())
    }

    pub(crate) fn signed_in(self: &Rc<Self>) -> Result<(), Failure> {
        self.alive(Step::Login)?;
        self.tell(|session, now| session.signed_in(now));
        Ok(())
    }

    /// Refreshes at once, and waits for the outcome. `to_know`: the caller only wants to know whether somebody is
    /// signed in.
    pub(crate) async fn refresh(self: Rc<Self>, to_know: bool) -> Result<(), Failure> {
        let step = if to_know { Step::Request } else { Step::Refresh };
        self.alive(step)?;
        self.outside_refresh(step, None)?;
        if to_know {
            self.look_for_hint();
        }
        let asked = self.tell_only(|session, now| match to_know {
            true => session.known(now),
            false => session.refresh(now),
        });
        let mut departure = match asked {
            Ok(wait) => wait.map_or(Departure::Deliver, Departure::Wait),
            Err(failure) => Departure::Fail(failure),
        };
        // Without a signal, the wait cannot fail.
        let _ = self.wait(&mut departure, None).await;
        match departure {
            Departure::Fail(failure) => Err(failure),
            _ => Ok(()),
        }
    }

    /// Frees everything. An auth call in flight may finish, because its response sets the cookie.
    pub(crate) fn dispose(self: &Rc<Self>) {
        if self.alive(Step::Request).is_err() {
            return;
        }
        self.tell(|session, _| session.dispose());
        self.channel.take();
        self.renewal_timer.take();
    }

    /// Reports something to the session, and carries out the commands that follow.
    pub(super) fn tell<T>(self: &Rc<Self>, what: impl FnOnce(&mut Session, Now) -> T) -> T {
        let outcome = self.tell_only(what);
        self.drain();
        outcome
    }

    /// Reports something to the session. The caller must drain later, after it has joined the refresh that the session
    /// may tell it to wait for.
    pub(super) fn tell_only<T>(&self, what: impl FnOnce(&mut Session, Now) -> T) -> T {
        let (mut session, now) = self.now();
        what(&mut session, now)
    }

    /// Not a part of each of its many callers, which would make the compiled code larger.
    #[inline(never)]
    fn now(&self) -> (RefMut<'_, Session>, Now) {
        // The clock may be patched, and call back: ask it before the session is borrowed.
        let now = platform::now();
        (self.session.borrow_mut(), now)
    }

    /// The outcome of a refresh, shared by all callers that wait for it.
    pub(super) fn refresh_outcome(&self, auth_call: AuthCall) -> SharedOutcome<RefreshOutcome> {
        let mut waiting = self.waiting_for_refresh.borrow_mut();
        if let Some(refresh) = waiting.iter().find(|refresh| refresh.auth_call == auth_call) {
            return refresh.outcome.clone();
        }
        let (settler, outcome) = shared_outcome();
        waiting.push(Waiting { auth_call, settler, outcome: outcome.clone() });
        outcome
    }

    /// A failure with its cause. For a failure of the refresh, that is the platform's error or the response.
    pub(crate) fn blame(&self, failure: Failure) -> Fault {
        Fault::Failed(failure, self.cause_of(failure))
    }

    fn cause_of(&self, failure: Failure) -> JsValue {
        let Failure { code, step, .. } = failure;
        if step == Step::Refresh && (code.is_retryable() || code == Code::Rejected) {
            self.cause.borrow().clone()
        } else {
            JsValue::UNDEFINED
        }
    }

    /// The error for the caller.
    pub(crate) fn explain(&self, fault: Fault) -> FetchError {
        match fault {
            Fault::Platform(reason) => FetchError::Platform(reason),
            Fault::Failed(failure, cause) => FetchError::Token(self.error(failure, cause)),
        }
    }

    /// The error for the caller of a method that sends no request of its own.
    pub(crate) fn error_of(&self, failure: Failure) -> TokenError {
        self.error(failure, self.cause_of(failure))
    }

    fn error(&self, failure: Failure, cause: JsValue) -> TokenError {
        let options = &self.options;
        let message = failure.message(options.refresh.address(), &options.access_token_at);
        TokenError::new(failure, message, cause)
    }

    /// The details of an event.
    fn detail(&self, event: &Event) -> Detail {
        match event {
            Event::Refresh => Detail { answer: self.answer.take(), error: None },
            Event::RefreshError(failure) => {
                Detail { error: Some(self.error_of(*failure)), ..Detail::default() }
            }
            Event::SignOut(Reason::Rejected) => {
                let refusal = self.refusal.take();
                Detail { error: refusal.map(|failure| self.error_of(failure)), ..Detail::default() }
            }
            Event::SignOut(_) | Event::StepUp(_) => Detail::default(),
        }
    }

    /// Carries out all commands of the session.
    pub(super) fn drain(self: &Rc<Self>) {
        loop {
            let effect = self.session.borrow_mut().poll_effect();
            match effect {
                None => break,
                Some(effect) => self.perform(effect),
            }
        }
        if let Some(timer) = &*self.renewal_timer.borrow() {
            timer.set(&self.session);
        }
        self.host.notify();
    }

    fn perform(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::Start(auth_call, kind) => {
                spawn(Box::pin(Rc::clone(self).run_auth_call(auth_call, kind)));
            }
            Effect::SettleRefresh(auth_call, outcome) => {
                if let RefreshOutcome::Rejected(failure) = outcome {
                    self.refusal.set(Some(failure));
                }
                self.settle_refresh(auth_call, outcome);
            }
            Effect::Changed => {
                let snapshot = self.session.borrow().snapshot();
                self.host.changed(snapshot);
            }
            Effect::Tell(event) => {
                let detail = self.detail(&event);
                self.host.happened(event, detail);
            }
            Effect::Post(message) => {
                if let Some(channel) = &*self.channel.borrow() {
                    channel.post(&message);
                }
            }
            Effect::Owe(true) => {
                let can_be_finished =
                    self.options.logout.as_ref().is_some_and(|endpoint| endpoint.sends.is_none());
                let at = platform::now().wall;
                self.pending_logout.set(Some(Mark { at, can_be_finished }));
            }
            Effect::Owe(false) => {
                self.kept.take();
                self.pending_logout.set(None);
            }
        }
    }

    /// Resolves to `value`, or the value of that promise, when no news is being sealed or opened: the holder of the
    /// lock must know what happened before.
    pub(super) fn after_news(&self, value: &JsValue) -> Promise {
        match &*self.channel.borrow() {
            Some(channel) => channel.settled(value),
            None => Promise::resolve(value),
        }
    }

    fn settle_refresh(&self, auth_call: AuthCall, outcome: RefreshOutcome) {
        let mut waiting = self.waiting_for_refresh.borrow_mut();
        if let Some(at) = waiting.iter().position(|refresh| refresh.auth_call == auth_call) {
            // Perhaps no caller waits any more. The token is kept nevertheless.
            waiting.swap_remove(at).settler.settle(outcome);
        }
    }
}

const NAMELESS: &str = "a function in the options cannot be compared with another tab's, so tabs do not share tokens or logouts; to share, give managers that belong together the same `name`.";
const UNTOLD: &str = "the server was not told of the last logout, and no later page can tell it (the option `logout` is missing, or sends a token); the session may still be alive there.";
