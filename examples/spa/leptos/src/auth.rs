//! The session in Leptos: a context with the manager and its state, and a guard that waits until it is
//! known whether the user is signed in.

use leptos::prelude::*;
use leptos::task::spawn_local;
use tokenkeep::{Notice, Snapshot, Status, TokenManager};

/// The manager, which belongs to the browser's single thread, and its state.
#[derive(Clone, Copy)]
pub struct Auth {
    manager: StoredValue<TokenManager, LocalStorage>,
    pub state: RwSignal<Snapshot, LocalStorage>,
}

impl Auth {
    pub fn manager(&self) -> TokenManager {
        self.manager.get_value()
    }
}

/// Subscribes once for all components below, until the owner is dropped.
pub fn provide_auth(manager: TokenManager) {
    let state = RwSignal::new_local(manager.state());
    let subscription = manager.subscribe(move |notice| {
        if let Notice::Changed(snapshot) = notice {
            state.set(snapshot.clone());
        }
    });
    StoredValue::new_local(subscription);
    provide_context(Auth { manager: StoredValue::new_local(manager), state });
}

pub fn use_auth() -> Auth {
    use_context().expect("provide_auth is called at the root of the app")
}

/// Shows its children to signed-in users. Waits until the state is known, and asks the server if necessary.
/// `on_signed_out` is called when nobody is signed in or the session has ended: navigate to the sign-in page there.
#[component]
pub fn RequireAuth(
    on_signed_out: impl Fn() + 'static,
    #[prop(into)] fallback: ViewFn,
    children: ChildrenFn,
) -> impl IntoView {
    let auth = use_auth();
    let status = Memo::new(move |_| auth.state.with(|state| state.status));
    let attempt = RwSignal::new(0);
    // The code of the error.
    let outage = RwSignal::new(None::<&'static str>);

    Effect::new(move |_| {
        let attempt = attempt.get();
        if status.get() != Status::Unknown {
            return;
        }
        outage.set(None);
        let manager = auth.manager();
        spawn_local(async move {
            // After an outage the user has pressed a button: unlike other calls, a refresh does not
            // wait for the back-off.
            let asked = match attempt {
                0 => manager.known().await.map(drop),
                _ => manager.refresh().await,
            };
            // The guard may be gone by now.
            outage.try_set(asked.err().map(|error| error.code().as_str()));
        });
    });
    Effect::new(move |_| {
        if status.get() == Status::SignedOut {
            on_signed_out();
        }
    });

    move || {
        match (status.get(), outage.get()) {
        (Status::SignedIn, _) => children().into_any(),
        (Status::Unknown, Some(code)) => view! {
            <p id="state">
                {format!("out of order: {code} ")}
                <button on:click=move |_| attempt.update(|attempt| *attempt += 1)>"Try again"</button>
            </p>
        }
        .into_any(),
        _ => fallback.run().into_any(),
    }
    }
}
