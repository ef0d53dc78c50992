//! The state that every handler can reach, and the table of addresses.

use std::sync::Arc;

use axum::{
    Router,
    http::HeaderMap,
    middleware::{from_fn, from_fn_with_state},
    routing::{get, post},
};

use crate::{
    address, answer, api,
    auth::{self, second_factor, successor::InDoubt},
    clock::Clock,
    config::{Config, NewUser, account_name},
    counters::Counters,
    cross_origin,
    demo::{self, Demo},
    dpop, health,
    log::Log,
    oauth,
    observe::{
        self,
        audit::{About, Event},
        metrics::{self, Metrics},
        traces::Traces,
    },
    password::{self, Passwords},
    sealing::Sealing,
    serve::Peer,
    static_files,
    store::{self, Account, Store, User},
    tokens::Tokens,
    totp,
};

pub struct App {
    pub(crate) config: Config,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) tokens: Tokens,
    pub(crate) sealing: Sealing,
    pub(crate) passwords: Passwords,
    pub(crate) in_doubt: InDoubt,
    /// The accounts that the server was started with, for a store that loses them.
    users: Vec<User>,
    pub(crate) counters: Counters,
    pub(crate) metrics: Metrics,
    pub(crate) traces: Option<Traces>,
    pub(crate) clock: Clock,
    pub(crate) log: Log,
    pub(crate) demo: Option<Arc<Demo>>,
}

impl App {
    /// Opens the store, adds accounts that it lacks, and loads the signing keys. An existing account stays as
    /// it is, because its password may have been changed since; but an unsealed second factor is sealed now
    /// if there is a key secret.
    pub async fn open(config: Config) -> store::Result<Arc<Self>> {
        let store = store::open(&config.store, config.store_clock.clone()).await?;
        let sealing = Sealing::new(&config.key_secrets);
        let users: Vec<User> = config
            .users
            .iter()
            .map(|user| User {
                name: account_name(&user.name),
                password_hash: password::hash(&user.password),
                roles: user.roles.clone(),
                second_factor: sealed(&sealing, user),
            })
            .collect();
        store.seed(&users).await?;
        let tokens = Tokens::open(config.tokens, &*store, &sealing, config.clock.now()).await?;
        Ok(Arc::new(Self {
            store,
            tokens,
            sealing,
            passwords: Passwords::new(),
            in_doubt: InDoubt::default(),
            users,
            counters: Counters::default(),
            metrics: Metrics::default(),
            traces: config.collector.as_deref().map(Traces::to),
            clock: config.clock.clone(),
            log: config.log.clone(),
            demo: config.demo.then(Arc::default),
            config,
        }))
    }

    /// An account. A store that lost everything gets its accounts and a key again, so that nothing has to be
    /// restarted; users who were logged in log in again.
    pub(crate) async fn account(&self, name: &str) -> store::Result<Account> {
        match self.store.account(name).await? {
            Account::Forgotten => {
                self.log.line("store: it forgot its accounts, and is given them again");
                self.store.seed(&self.users).await?;
                self.tokens.share_keys(self).await?;
                self.store.account(name).await
            }
            known => Ok(known),
        }
    }

    /// Regular maintenance.
    pub async fn housekeeping(&self) -> store::Result<()> {
        self.tokens.keep_keys(self).await?;
        self.store.purge().await
    }

    /// Reports an audit event.
    pub(crate) fn tell(&self, event: Event, about: About<'_>) {
        self.config.audit.tell(self.clock.now(), event, about);
    }

    /// The network under which rate limits count a request.
    pub(crate) fn client(&self, peer: Peer, headers: &HeaderMap) -> String {
        address::network(address::client(peer.ip(), headers, &self.config.trusted_proxies))
    }
}

fn sealed(sealing: &Sealing, user: &NewUser) -> String {
    let secret = user.second_factor.as_ref().and_then(|secret| totp::secret(secret.expose()));
    let purpose = second_factor::purpose(&account_name(&user.name));
    secret.map_or_else(String::new, |secret| sealing.seal(&purpose, &secret))
}

pub fn router(app: Arc<App>) -> Router {
    let api = Router::new()
        .route("/api/me", get(api::me))
        .route("/api/items/{n}", get(api::item))
        .route("/api/echo", post(api::echo))
        .route("/api/admin", get(api::admin))
        .route("/api/vault", get(api::vault))
        .route("/auth/sessions", get(auth::sessions::list))
        .route("/auth/sessions/end", post(auth::sessions::end))
        .route("/auth/password", post(auth::password::change))
        .layer(from_fn_with_state(app.clone(), api::need_token));

    let mut router = Router::new()
        .route("/auth/login", post(auth::login::login))
        .route("/auth/login/code", post(auth::second_factor::login))
        .route("/auth/stepup", post(auth::second_factor::step_up))
        .route("/auth/refresh", post(auth::refresh::refresh))
        .route("/auth/logout", post(auth::logout::logout))
        .route("/auth/jwks.json", get(auth::jwks::jwks))
        .route("/.well-known/oauth-authorization-server", get(auth::metadata::metadata))
        .route("/.well-known/openid-configuration", get(auth::metadata::metadata))
        .merge(api)
        .layer(from_fn_with_state(app.clone(), dpop::give_nonce))
        // Before the layers below, so that they also apply here; otherwise no preflight would reach them.
        .method_not_allowed_fallback(async || answer::method_not_allowed());

    if let Some(demo) = &app.demo {
        router = router.layer(from_fn_with_state(demo.clone(), demo::faults::apply));
    }
    if app.config.plain_cookie {
        router = router.layer(from_fn(demo::plain_cookie::apply));
    }
    // Outermost, so that a page of another origin can read refusals and failures, too.
    router = router.layer(cross_origin::layer(&app.config.origins));

    // Without CORS: servers call these addresses.
    router = router
        .route("/oauth/introspect", post(oauth::introspect::introspect))
        .route("/oauth/revoke", post(oauth::revoke::revoke))
        .route("/oauth/revoke-all", post(oauth::revoke::revoke_all))
        .route("/metrics", get(metrics::metrics))
        .route("/healthz", get(health::live))
        .route("/readyz", get(health::ready))
        .method_not_allowed_fallback(async || answer::method_not_allowed());

    if let Some(demo) = &app.demo {
        router = router
            .layer(from_fn_with_state(app.clone(), demo::log::record))
            .merge(demo::routes(&app, demo));
    }

    static_files::add(router, &app.config)
        .layer(from_fn(static_files::harmless))
        .layer(from_fn_with_state(app.clone(), observe::watch))
        .layer(from_fn_with_state(app.log.clone(), answer::log_failures))
        .with_state(app)
}
