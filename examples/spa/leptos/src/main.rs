//! A single-page app in Leptos, rendered in the browser: a sign-in form, and a page for signed-in users.
//!
//! It expects the endpoints of the reference server in `www/server`; `docs/frameworks/leptos.md` says how to
//! build it.

mod auth;

use auth::{RequireAuth, provide_auth, use_auth};
use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tokenkeep::{Code, Endpoint, FetchError, Options, TokenManager};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, HtmlFormElement, Request, RequestInit};

fn main() {
    mount_to_body(App);
}

#[component]
fn App() -> impl IntoView {
    let mut options = Options::new("/auth/refresh");
    options.logout = Some(Endpoint::new("/auth/logout"));
    // Create the manager once: its clones are the same manager.
    provide_auth(TokenManager::new(options).expect("these options are good"));

    // Replace this with your router.
    let is_at_form = RwSignal::new(false);
    move || {
        if is_at_form.get() {
            view! { <SignIn on_done=move || is_at_form.set(false) /> }.into_any()
        } else {
            view! {
                <RequireAuth
                    on_signed_out=move || is_at_form.set(true)
                    fallback=|| view! { <p id="state">"one moment"</p> }
                >
                    <Home />
                </RequireAuth>
            }
            .into_any()
        }
    }
}

#[component]
fn SignIn(on_done: impl Fn() + Copy + 'static) -> impl IntoView {
    let auth = use_auth();
    let problem = RwSignal::new("");
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form: HtmlFormElement = event.target().expect("a form").unchecked_into();
        let manager = auth.manager();
        spawn_local(async move {
            match sign_in(&manager, &form).await {
                Ok(_) => on_done(),
                Err(FetchError::Token(error)) if error.code() == Code::Rejected => {
                    problem.set("The name or the password is wrong.");
                }
                Err(_) => problem.set("The server does not answer."),
            }
        });
    };
    view! {
        <form on:submit=submit>
            <input name="username" autocomplete="username" />
            <input name="password" type="password" autocomplete="current-password" />
            <button>"Sign in"</button>
            <p role="alert">{problem}</p>
        </form>
    }
}

/// The manager keeps the tokens; the app gets the rest of the answer.
async fn sign_in(manager: &TokenManager, form: &HtmlFormElement) -> Result<JsValue, FetchError> {
    let init = RequestInit::new();
    init.set_method("POST");
    let fields = FormData::new_with_form(form).map_err(FetchError::Platform)?;
    init.set_body(&fields);
    let request = Request::new_with_str_and_init("/auth/login", &init);
    manager.login(&request.map_err(FetchError::Platform)?).await
}

#[component]
fn Home() -> impl IntoView {
    let auth = use_auth();
    let answer = RwSignal::new(String::new());
    let name = move || auth.state.with(|state| state.claims.as_deref().and_then(subject));

    let ask = move |_| {
        let manager = auth.manager();
        spawn_local(async move {
            let said = call(&manager).await.unwrap_or_else(|error| error);
            // A user who has signed out meanwhile must not see the answer.
            answer.try_set(said);
        });
    };
    let sign_out = move |_| {
        let manager = auth.manager();
        // The session ends in the browser even if the server cannot be told.
        spawn_local(async move { drop(manager.logout(None).await) });
    };
    view! {
        <main>
            <p id="state">"signed in as " {name}</p>
            <button on:click=ask>"Who am I?"</button>
            <button on:click=sign_out>"Sign out"</button>
            <pre>{answer}</pre>
        </main>
    }
}

async fn call(manager: &TokenManager) -> Result<String, String> {
    let request = Request::new_with_str("/api/me").map_err(words)?;
    let response = manager.fetch(&request).await.map_err(|error| match error {
        FetchError::Platform(reason) => words(reason),
        FetchError::Token(error) => error.to_string(),
    })?;
    let text = JsFuture::from(response.text().map_err(words)?).await.map_err(words)?;
    Ok(text.as_string().unwrap_or_default())
}

/// The claims are JSON; use the app's own parser.
fn subject(claims: &str) -> Option<String> {
    let claims = js_sys::JSON::parse(claims).ok()?;
    js_sys::Reflect::get(&claims, &"sub".into()).ok()?.as_string()
}

fn words(error: JsValue) -> String {
    error.unchecked_into::<js_sys::Object>().to_string().into()
}
