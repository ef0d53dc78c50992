//! The session as Yew has it: a context that holds the manager and its state, and a guard that waits
//! until it is known whether somebody is signed in.

use tokenkeep::{Notice, Snapshot, Status, TokenError, TokenManager};
use wasm_bindgen_futures::spawn_local;
use yew::prelude::*;

/// What the app knows of the session. It differs when the state has changed.
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

/// Subscribes once, for all components below it.
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

/// The manager and its state. The component renders again when the state changes.
#[hook]
pub fn use_auth() -> Auth {
    use_context().expect("an AuthProvider is around the app")
}

#[derive(Properties, PartialEq)]
pub struct RequireAuthProps {
    pub children: Html,
    /// What is shown until the answer is there.
    pub fallback: Html,
    /// Nobody is signed in, or the session has ended: the place to navigate to the sign-in page.
    pub on_signed_out: Callback<()>,
}

/// Shows its children to who is signed in. Waits until that is known, and asks the server if nobody has.
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
                // After an outage somebody has pressed a button: a refresh does not wait until the
                // server has had its rest.
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
