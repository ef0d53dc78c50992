//! The session in Yew: a context with the manager and its state, and a guard that waits until it is known
//! whether the user is signed in.

use tokenkeep::{Notice, Snapshot, Status, TokenError, TokenManager};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// The manager and its state. Values differ if their states do.
#[derive(Clone, PartialEq)]
pub struct Auth {
    pub manager: TokenManager,
    pub state: Snapshot,
}

#[derive(Properties, PartialEq)]
pub struct AuthProviderProps {
    pub manager: TokenManager,
    pub children: Html,
}

/// Subscribes once for all components below.
#[component]
pub fn AuthProvider(props: &AuthProviderProps) -> Html {
    let state = use_state(|| props.manager.state());
    let setter = state.setter();
    use_effect_with(props.manager.clone(), move |manager| {
        setter.set(manager.state());
        let subscription = manager.subscribe(move |notice| {
            if let Notice::Changed(snapshot) = notice {
                setter.set(snapshot.clone());
            }
        });
        move || drop(subscription)
    });
    let auth = Auth { manager: props.manager.clone(), state: (*state).clone() };
    html! { <ContextProvider<Auth> context={auth}>{ props.children.clone() }</ContextProvider<Auth>> }
}

/// Returns the manager and its state. The component renders again when the state changes.
#[hook]
pub fn use_auth() -> Auth {
    use_context().expect("an AuthProvider is around the app")
}

#[derive(Properties, PartialEq)]
pub struct RequireAuthProps {
    pub children: Html,
    /// Shown until it is known whether the user is signed in.
    pub fallback: Html,
    /// Called when nobody is signed in or the session has ended: navigate to the sign-in page here.
    pub on_signed_out: Callback<()>,
}

/// Shows its children to signed-in users. Waits until the state is known, and asks the server if necessary.
#[component]
pub fn RequireAuth(props: &RequireAuthProps) -> Html {
    let Auth { manager, state } = use_auth();
    let attempt = use_state(|| 0);
    let outage = use_state(|| None::<TokenError>);

    let set_outage = outage.setter();
    use_effect_with((state.status, *attempt), move |&(status, attempt)| {
        if status == Status::Unknown {
            set_outage.set(None);
            spawn_local(async move {
                // After an outage the user has pressed a button: unlike other calls, a refresh does
                // not wait for the back-off.
                let asked = match attempt {
                    0 => manager.known().await.map(drop),
                    _ => manager.refresh().await,
                };
                set_outage.set(asked.err());
            });
        }
    });
    use_effect_with((state.status, props.on_signed_out.clone()), |(status, on_signed_out)| {
        if *status == Status::SignedOut {
            on_signed_out.emit(());
        }
    });

    match (state.status, &*outage) {
        (Status::SignedIn, _) => props.children.clone(),
        (Status::Unknown, Some(error)) => {
            let retry = Callback::from(move |_| attempt.set(*attempt + 1));
            let code = error.code().as_str();
            html! { <p id="state">{ format!("out of order: {code} ") }<button onclick={retry}>{ "Try again" }</button></p> }
        }
        _ => props.fallback.clone(),
    }
}
