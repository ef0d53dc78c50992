//! A single-page app in Yew: a sign-in form, and a page for signed-in users.
//!
//! It expects the endpoints of the reference server in `www/server`; `docs/frameworks/yew.md` says how to
//! build it.

mod auth;

use auth::{Auth, AuthProvider, RequireAuth, use_auth};
use tokenkeep::{Code, Endpoint, FetchError, Options, TokenManager};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{FormData, HtmlFormElement, Request, RequestInit};
use yew::prelude::*;

fn main() {
    let mut options = Options::new("/auth/refresh");
    options.logout = Some(Endpoint::new("/auth/logout"));
    // Create the manager once: its clones are the same manager.
    let manager = TokenManager::new(options).expect("these options are good");
    yew::Renderer::<App>::with_props(AppProps { manager }).render();
}

#[derive(Properties, PartialEq)]
struct AppProps {
    manager: TokenManager,
}

#[component]
fn App(props: &AppProps) -> Html {
    // Replace this with your router.
    let is_at_form = use_state(|| false);
    let go = |to: bool| {
        let is_at_form = is_at_form.setter();
        Callback::from(move |()| is_at_form.set(to))
    };
    let page = if *is_at_form {
        html! { <SignIn on_done={go(false)} /> }
    } else {
        let fallback = html! { <p id="state">{ "one moment" }</p> };
        html! { <RequireAuth {fallback} on_signed_out={go(true)}><Home /></RequireAuth> }
    };
    html! { <AuthProvider manager={props.manager.clone()}>{ page }</AuthProvider> }
}

#[derive(Properties, PartialEq)]
struct SignInProps {
    on_done: Callback<()>,
}

#[component]
fn SignIn(props: &SignInProps) -> Html {
    let Auth { manager, .. } = use_auth();
    let problem = use_state(String::new);
    let (setter, on_done) = (problem.setter(), props.on_done.clone());
    let onsubmit = Callback::from(move |event: SubmitEvent| {
        event.prevent_default();
        let (manager, setter, on_done) = (manager.clone(), setter.clone(), on_done.clone());
        let form: HtmlFormElement = event.target_unchecked_into();
        spawn_local(async move {
            match sign_in(&manager, &form).await {
                Ok(_) => on_done.emit(()),
                Err(FetchError::Token(error)) if error.code() == Code::Rejected => {
                    setter.set("The name or the password is wrong.".into());
                }
                Err(_) => setter.set("The server does not answer.".into()),
            }
        });
    });
    html! {
        <form {onsubmit}>
            <input name="username" autocomplete="username" />
            <input name="password" type="password" autocomplete="current-password" />
            <button>{ "Sign in" }</button>
            <p role="alert">{ &*problem }</p>
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
fn Home() -> Html {
    let Auth { manager, state } = use_auth();
    let answer = use_state(String::new);
    let name = state.claims.as_deref().and_then(subject).unwrap_or_default();

    let (asks, setter) = (manager.clone(), answer.setter());
    let ask = Callback::from(move |_| {
        let (manager, setter) = (asks.clone(), setter.clone());
        spawn_local(async move { setter.set(call(&manager).await.unwrap_or_else(|error| error)) });
    });
    let sign_out = Callback::from(move |_| {
        let manager = manager.clone();
        // The session ends in the browser even if the server cannot be told.
        spawn_local(async move { drop(manager.logout(None).await) });
    });
    html! {
        <main>
            <p id="state">{ format!("signed in as {name}") }</p>
            <button onclick={ask}>{ "Who am I?" }</button>
            <button onclick={sign_out}>{ "Sign out" }</button>
            <pre>{ &*answer }</pre>
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
