//! A server that the test controls, in place of the platform's `fetch`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures::StreamExt as _;
use futures::channel::mpsc::{self, UnboundedReceiver};
use js_sys::{Function, Promise};
use tokenkeep::{
    FetchError, Notice, Options, Secret, Status, Subscription, TokenError, TokenManager, Tokens,
};
use wasm_bindgen::prelude::*;
use web_sys::{Request, RequestInit, Response};

use super::call::Call;
use super::event_loop::{Started, lull, start, within_bound};
use super::global::Replaced;

#[wasm_bindgen]
extern "C" {
    fn btoa(bytes: &str) -> String;

    #[wasm_bindgen(js_namespace = location, js_name = toString)]
    fn page() -> String;
}

/// Receives every call to `fetch`, and answers none by itself.
pub struct Server {
    arrivals: RefCell<UnboundedReceiver<Call>>,
    /// A part of all URLs of this test, so that it ignores late calls of other tests.
    own: String,
    _fetch: Replaced,
}

impl Server {
    pub fn new() -> Self {
        thread_local!(static TESTS: Cell<u32> = const { Cell::new(0) });
        let test = TESTS.get() + 1;
        TESTS.set(test);
        let own = format!("/test-{test}/");
        let (arrived, arrivals) = mpsc::unbounded();
        let below = own.clone();
        let fetch = Closure::<dyn Fn(JsValue, JsValue) -> Promise>::new(move |input, init| {
            Promise::new(&mut |resolve, reject| {
                if let Some(call) = hear(&below, &input, &init, resolve, reject) {
                    // A finished test receives nothing more.
                    let _ = arrived.unbounded_send(call);
                }
            })
        });
        let fetch = Replaced::function(&js_sys::global(), "fetch", fetch);
        Self { arrivals: arrivals.into(), own, _fetch: fetch }
    }

    /// A URL of this test, on the page's own origin.
    pub fn url(&self, path: &str) -> String {
        let page = web_sys::Url::new(&page()).expect("a page has a URL");
        format!("{}{}{path}", page.origin(), self.own)
    }

    /// A URL of this test on another origin.
    pub fn url_elsewhere(&self, path: &str) -> String {
        format!("https://elsewhere.test{}{path}", self.own)
    }

    /// A manager that refreshes at this server.
    pub fn manager(&self, change: impl FnOnce(&mut Options)) -> TokenManager {
        let mut options = Options::new(self.url("refresh"));
        change(&mut options);
        TokenManager::new(options).expect("good options")
    }

    /// A manager with a session and a token.
    pub fn signed_in(&self, token: &str) -> TokenManager {
        let auth = self.manager(|_| {});
        auth.set_tokens(tokens(token)).expect("a live manager");
        auth
    }

    /// Begins a plain request.
    pub fn get(&self, auth: &TokenManager, path: &str) -> Started<Result<Response, FetchError>> {
        self.send(auth, request("GET", &self.url(path), &JsValue::UNDEFINED))
    }

    /// Begins a request.
    pub fn send(
        &self,
        auth: &TokenManager,
        request: Request,
    ) -> Started<Result<Response, FetchError>> {
        let auth = auth.clone();
        start(async move { auth.fetch(&request).await })
    }

    /// Begins a refresh.
    pub fn refresh(&self, auth: &TokenManager) -> Started<Result<(), TokenError>> {
        let auth = auth.clone();
        start(async move { auth.refresh().await })
    }

    /// Begins a login.
    pub fn login(&self, auth: &TokenManager) -> Started<Result<JsValue, TokenError>> {
        let auth = auth.clone();
        let request = request("POST", &self.url("login"), &r#"{"password":"wonderland"}"#.into());
        start(async move { auth.login(&request).await.map_err(own) })
    }

    /// The next call, which must be to this path.
    pub async fn call(&self, path: &str) -> Call {
        let call = within_bound(self.next(), &format!("a call to {path}")).await;
        assert_eq!(call.path, path, "the next call");
        call
    }

    async fn next(&self) -> Call {
        futures::future::poll_fn(|context| self.arrivals.borrow_mut().poll_next_unpin(context))
            .await
            .expect("the platform's fetch is replaced while the test lasts")
    }

    /// The next call, if there is one by now.
    pub async fn maybe_call(&self) -> Option<Call> {
        lull().await;
        self.arrivals.borrow_mut().try_recv().ok()
    }

    /// Checks that no call has been made or is about to be made.
    pub async fn is_left_alone(&self) {
        lull().await;
        if let Ok(call) = self.arrivals.borrow_mut().try_recv() {
            panic!("an unexpected call: {} {}", call.request.method(), call.path);
        }
    }
}

/// The arguments of `fetch`, as the platform reads them; aborted when the caller says so.
fn hear(
    own: &str,
    input: &JsValue,
    init: &JsValue,
    resolve: Function,
    reject: Function,
) -> Option<Call> {
    let request = Request::new_with_request_and_init(input.unchecked_ref(), init.unchecked_ref());
    let request = request.expect("arguments of fetch");
    let path = request.url().split_once(own)?.1.to_owned();
    let signal = request.signal();
    let torn = {
        let (signal, reject) = (signal.clone(), reject.clone());
        Closure::once_into_js(move || reject.call1(&JsValue::UNDEFINED, &signal.reason()))
    };
    if signal.aborted() {
        reject.call1(&JsValue::UNDEFINED, &signal.reason()).ok()?;
        return None;
    }
    signal.add_event_listener_with_callback("abort", torn.unchecked_ref()).ok()?;
    Some(Call { request, path, resolve, reject })
}

/// A request, with a body unless that is undefined.
pub fn request(method: &str, url: &str, body: &JsValue) -> Request {
    let init = RequestInit::new();
    init.set_method(method);
    if !body.is_undefined() {
        init.set_body(body);
    }
    Request::new_with_str_and_init(url, &init).expect("a request")
}

pub fn tokens(token: &str) -> Tokens {
    let access_token = Secret::new(token.to_owned()).expect("a token");
    Tokens { access_token, expires_in: Some(300.0), refresh_token: None }
}

/// An unsigned JWT with this payload. A string of characters below 256 stands for its bytes.
pub fn jwt(payload: &str) -> String {
    let payload = btoa(payload).replace('+', "-").replace('/', "_").replace('=', "");
    format!("e30.{payload}.c2ln")
}

/// The manager's own failure, where the platform has rejected nothing.
pub fn own(error: FetchError) -> TokenError {
    match error {
        FetchError::Token(error) => error,
        FetchError::Platform(reason) => panic!("the platform's own: {reason:?}"),
    }
}

/// The manager's own failure.
pub fn token_error(outcome: Result<Response, FetchError>) -> TokenError {
    match outcome {
        Err(error) => own(error),
        Ok(response) => panic!("an answer: {}", response.status()),
    }
}

/// Everything that a manager tells its listeners.
pub struct Heard {
    notices: Rc<RefCell<Vec<Notice>>>,
    arrived: UnboundedReceiver<()>,
    _subscription: Subscription,
}

impl Heard {
    pub fn of(auth: &TokenManager) -> Self {
        let notices = Rc::<RefCell<Vec<Notice>>>::default();
        let (told, arrived) = mpsc::unbounded();
        let list = Rc::clone(&notices);
        let subscription = auth.subscribe(move |notice| {
            list.borrow_mut().push(notice.clone());
            // The test may be over.
            let _ = told.unbounded_send(());
        });
        Self { notices, arrived, _subscription: subscription }
    }

    /// Waits for the next notice.
    pub async fn next(&mut self) {
        within_bound(self.arrived.next(), "a notice").await;
    }

    /// In words: the status of a change, or the event.
    pub fn words(&self) -> Vec<String> {
        let words = |notice: &Notice| match notice {
            Notice::Changed(snapshot) => match snapshot.status {
                Status::Unknown => "unknown".to_owned(),
                Status::SignedIn => "signed in".to_owned(),
                Status::SignedOut => "signed out".to_owned(),
            },
            Notice::Event(event, _) => format!("{event:?}"),
        };
        self.notices.borrow().iter().map(words).collect()
    }
}
