//! A single-page app in Rust: a sign-in form, a button that calls the API, and a status line. It shows where
//! [`TokenManager`] belongs in such an app.
//!
//! It expects the endpoints of the reference server in `www/server`. To see it:
//!
//! ```sh
//! cargo build --example rust_spa --target wasm32-unknown-unknown
//! wasm-bindgen --target web --out-dir spa target/wasm32-unknown-unknown/debug/examples/rust_spa.wasm
//! echo '<!doctype html><script type="module" src="main.js"></script>' > spa/index.html
//! echo 'import init from "./rust_spa.js"; await init()' > spa/main.js
//! cargo run --package tokenkeep-server -- --demo --www spa      # alice / wonderland
//! ```
//!
//! # In a framework
//!
//! Use one manager for the whole app: create it at the root and pass it down in a context. A clone is the
//! same manager. Components render a signal or a state that the subscription updates; the subscription lives
//! as long as the root.
//!
//! - **Yew**: clones of one manager are equal, so a context with it causes no renders:
//!
//!   ```ignore
//!   let state = use_state(|| auth.state());
//!   let (manager, setter) = (auth.clone(), state.setter());
//!   use_effect_with((), move |()| {
//!       let subscription = manager.subscribe(move |notice| {
//!           if let Notice::Changed(snapshot) = notice { setter.set(snapshot.clone()) }
//!       });
//!       move || drop(subscription)
//!   });
//!   html! { <ContextProvider<TokenManager> context={auth}>{ children }</ContextProvider<TokenManager>> }
//!   ```
//!
//! - **Leptos**: the manager belongs to the browser's single thread, so store it locally:
//!
//!   ```ignore
//!   let state = RwSignal::new_local(auth.state());
//!   let subscription = auth.subscribe(move |notice| {
//!       if let Notice::Changed(snapshot) = notice { state.set(snapshot.clone()) }
//!   });
//!   StoredValue::new_local(subscription);          // until the owner goes
//!   provide_context(StoredValue::new_local(auth)); // use_context, then .get_value()
//!   ```
//!
//! - **Dioxus**: `use_context_provider(|| auth)`, and a `Signal<Snapshot>` in place of Yew's state.

use tokenkeep::{FetchError, Notice, Options, Snapshot, Status, TokenManager};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, Event, FormData, HtmlFormElement, Request, RequestInit};

const PAGE: &str = r#"
    <p id="state"></p>
    <form id="sign-in">
        <input name="username" placeholder="name" autocomplete="username">
        <input name="password" type="password" placeholder="password" autocomplete="current-password">
        <button>Sign in</button>
    </form>
    <button id="ask">Who am I?</button>
    <button id="sign-out">Sign out</button>
    <pre id="answer"></pre>"#;

fn main() -> Result<(), JsValue> {
    let document = document();
    document.body().ok_or("a page has a body")?.set_inner_html(PAGE);

    let auth = TokenManager::new(Options::new("/auth/refresh")).map_err(|e| e.to_string())?;
    show(&auth.state());
    let subscription = auth.subscribe(|notice| match notice {
        Notice::Changed(snapshot) => show(snapshot),
        Notice::Event(event, _) => web_sys::console::log_1(&format!("{event:?}").into()),
    });
    // Keep it as long as the page lives.
    std::mem::forget(subscription);

    let manager = auth.clone();
    on("sign-in", "submit", move |event| {
        event.prevent_default();
        let form = event.current_target().map(JsCast::unchecked_into::<HtmlFormElement>);
        let auth = manager.clone();
        spawn_local(async move {
            let said = match form {
                Some(form) => sign_in(&auth, &form).await,
                None => return,
            };
            say("answer", &said.unwrap_or_else(|error| error));
        });
    })?;

    let manager = auth.clone();
    on("ask", "click", move |_| {
        let auth = manager.clone();
        spawn_local(async move {
            say("answer", &ask(&auth).await.unwrap_or_else(|error| error));
        });
    })?;

    on("sign-out", "click", move |_| {
        let auth = auth.clone();
        spawn_local(async move {
            let outcome = match post("/auth/logout", &JsValue::UNDEFINED) {
                Ok(request) => auth.logout(Some(&request)).await.map_err(|e| e.to_string()),
                Err(error) => Err(error),
            };
            say("answer", &outcome.err().unwrap_or_default());
        });
    })
}

/// The manager keeps the tokens; the app gets the rest of the answer.
async fn sign_in(auth: &TokenManager, form: &HtmlFormElement) -> Result<String, String> {
    let fields = FormData::new_with_form(form).map_err(words)?;
    let fields =
        web_sys::UrlSearchParams::new_with_str_sequence_sequence(&fields).map_err(words)?;
    let rest = auth.login(&post("/auth/login", &fields)?).await.map_err(|e| e.to_string())?;
    let rest = js_sys::JSON::stringify(&rest).map_err(words)?;
    Ok(rest.into())
}

/// Like the platform's `fetch`: the app need not handle a token that has expired meanwhile.
async fn ask(auth: &TokenManager) -> Result<String, String> {
    let request = Request::new_with_str("/api/me").map_err(words)?;
    let response = auth.fetch(&request).await.map_err(|error| match error {
        FetchError::Platform(reason) => words(reason),
        FetchError::Token(error) if error.is_retryable() => format!("Try again: {error}"),
        FetchError::Token(error) => error.to_string(),
    })?;
    let text = JsFuture::from(response.text().map_err(words)?).await.map_err(words)?;
    Ok(format!("{} {}", response.status(), text.as_string().unwrap_or_default()))
}

fn post(url: &str, body: &JsValue) -> Result<Request, String> {
    let init = RequestInit::new();
    init.set_method("POST");
    if !body.is_undefined() {
        init.set_body(body);
    }
    Request::new_with_str_and_init(url, &init).map_err(words)
}

fn show(snapshot: &Snapshot) {
    let words = match (snapshot.status, &snapshot.claims) {
        (Status::Unknown, _) => "Nobody has asked yet.".to_owned(),
        (Status::SignedOut, _) => "Signed out.".to_owned(),
        // The claims are JSON; use the app's own parser.
        (Status::SignedIn, Some(claims)) => format!("Signed in: {claims}"),
        (Status::SignedIn, None) => "Signed in.".to_owned(),
    };
    say("state", &words);
}

fn document() -> Document {
    web_sys::window().and_then(|window| window.document()).expect("this runs in a page")
}

fn say(id: &str, words: &str) {
    if let Some(element) = document().get_element_by_id(id) {
        element.set_text_content(Some(words));
    }
}

fn on(id: &str, event: &str, listener: impl FnMut(Event) + 'static) -> Result<(), JsValue> {
    let element = document().get_element_by_id(id).ok_or("no such element")?;
    let listener = Closure::<dyn FnMut(Event)>::new(listener);
    element.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref())?;
    listener.forget();
    Ok(())
}

fn words(error: JsValue) -> String {
    js_sys::Object::from(error).to_string().into()
}
