//! Start and stop: the socket, the housekeeping, and an end that no open answer can delay.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use tokio::{
    net::TcpListener,
    sync::watch,
    task::JoinHandle,
    time::{MissedTickBehavior, interval, timeout},
};

use crate::{
    app::{App, router},
    config::Config,
    connections,
    demo::wire::Wire,
    sealing::Sealing,
    store,
    tokens::keys::Keys,
};

/// How long answers may take once the server is told to stop: longer than the store's limit, so that no
/// exchange is cut off between its commit and its answer.
const LAST_ANSWERS: Duration = Duration::from_secs(5);
/// Also how long it takes to find another instance's new key (`tokens/keys.rs`).
const HOUSEKEEPING_EVERY: Duration = Duration::from_secs(60);

/// The other end of a connection. Behind a proxy that is the proxy: `address.rs` finds the client.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

impl Peer {
    pub fn ip(self) -> IpAddr {
        self.0.ip()
    }
}

pub struct Running {
    pub address: SocketAddr,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
    housekeeping: JoinHandle<()>,
}

/// Adds a signing key to the store and returns its id. Running instances find it within a minute, and sign
/// with it once it has been published for a while.
pub async fn rotate_key(config: Config) -> Result<String, String> {
    let failed = |error| format!("cannot rotate the key in {}: {error}", shown(&config.store));
    let store = store::open(&config.store, None).await.map_err(failed)?;
    let (sealing, now) = (Sealing::new(&config.key_secrets), config.clock.now());
    let keys = Keys::shared(&*store, &sealing, now).await.map_err(failed)?;
    let keys = keys.rotate(&*store, &sealing, now).await.map_err(failed)?;
    Ok(keys.newest().to_owned())
}

/// Starts the server. An error is one line that says what is impossible.
pub async fn start(mut config: Config) -> Result<Running, String> {
    let wanted = SocketAddr::new(config.host, config.port);
    let url = config.store.clone();
    let listener = TcpListener::bind(wanted).await.map_err(|error| {
        if error.kind() == io::ErrorKind::AddrInUse {
            format!("{wanted} is in use: stop what listens there, or choose another --port")
        } else {
            format!("cannot listen on {wanted}: {error}")
        }
    })?;
    let address =
        listener.local_addr().map_err(|error| format!("cannot listen on {wanted}: {error}"))?;
    if config.demo && config.issuer.is_none() {
        config.issuer = Some(format!("http://{address}"));
    }
    let app = App::open(config)
        .await
        .map_err(|error| format!("cannot open the store {}: {error}", shown(&url)))?;

    let (stop, stopped) = watch::channel(false);
    let router = router(app.clone());
    let patience = app.config.patience;
    let serving = match &app.demo {
        Some(demo) => {
            let wire = Wire::new(listener, demo.clone());
            tokio::spawn(connections::serve(wire, router, patience, stopped))
        }
        None => tokio::spawn(connections::serve(listener, router, patience, stopped)),
    };
    let housekeeping = tokio::spawn(keep_house(app.clone()));
    Ok(Running { address, app, stop, serving, housekeeping })
}

impl Running {
    pub async fn stop(self) {
        self.housekeeping.abort();
        if let Some(demo) = &self.app.demo {
            demo.release_for_good();
        }
        self.stop.send_replace(true);
        let handle = self.serving.abort_handle();
        if timeout(LAST_ANSWERS, self.serving).await.is_err() {
            handle.abort();
        }
    }
}

async fn keep_house(app: Arc<App>) {
    let mut ticks = interval(HOUSEKEEPING_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = app.housekeeping().await {
            app.log.line(&format!("store: {error}"));
        }
    }
}

/// A store's URL without the password that it may contain, before the host or in an option.
fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    // A `?` or `@` may be part of the password: then the parts cannot be told apart.
    if rest.contains('?') {
        return format!("{scheme}://…");
    }
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://…@{host}"),
        None => url.to_owned(),
    }
}
