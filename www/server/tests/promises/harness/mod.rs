//! The basis of the tests: a server over a new store, its clock, its log, and a small client.

pub mod certificate;
mod client;
pub mod dpop;
pub mod postgres;
pub mod process;
pub mod proxy;
pub mod redis;
pub mod wire;

use std::{
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use axum::Router;
use tokenkeep_server::{
    app::{App, router},
    clock::Clock,
    config::{Client, Config, NewUser},
    log::Log,
    observe::audit::Audit,
    secret::Secret,
    store::{self, Account, Store, User},
};

pub use client::{Answer, Call, Session};
use postgres::Postgres;
use redis::{Cluster, Redis};

pub const ALICE: (&str, &str) = ("alice", "wonderland");
pub const ADMIN: (&str, &str) = ("admin", "correct-horse");
/// This user has a second factor.
pub const CAROL: (&str, &str) = ("carol", "looking-glass");
pub const CAROLS_APP: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
pub const CLIENT: (&str, &str) = ("resource-server", "let-me-introspect");

/// A whole minute, so that a rate limit's window starts with the test.
const START: u64 = 1_800_000_000_000;

/// Runs each of these functions once for each store: `NAME::in_sqlite`, `in_postgres`, `in_redis` and
/// `in_cluster`.
#[macro_export]
macro_rules! on_all_stores {
    ($($name:ident,)*) => {
        $crate::on_stores!(
            [in_sqlite: sqlite, in_postgres: postgres, in_redis: redis, in_cluster: cluster]
            $($name,)*
        );
    };
}

/// The same, with the stores in the list: each is made by a function of `Setup`.
#[macro_export]
macro_rules! on_stores {
    ($stores:tt $($name:ident,)*) => {$(
        mod $name {
            $crate::on_stores!(@one $name $stores);
        }
    )*};
    (@one $name:ident [$($store:ident: $setup:ident),*]) => {$(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $store() {
            super::$name($crate::harness::Setup::$setup()).await;
        }
    )*};
}

/// A new store, and the time. Servers started from one setup share both.
pub struct Setup {
    pub url: String,
    time: Arc<AtomicU64>,
    log: Arc<Mutex<Vec<String>>>,
    audit: Arc<Mutex<Vec<String>>>,
    folder: Folder,
    pub service: Service,
}

/// A process beside the server. If a test has its own, it can make the process fail.
pub enum Service {
    None,
    Redis(Redis),
    Postgres(Postgres),
    Cluster(Cluster),
    Shared,
}

impl Setup {
    pub fn sqlite() -> Self {
        let folder = Folder::new();
        let url = format!("sqlite:{}", folder.0.join("store.db").display());
        Self::new(url, folder, Service::None)
    }

    pub fn redis() -> Self {
        let folder = Folder::new();
        let redis = Redis::start(&folder.0);
        Self::new(redis.url(), folder, Service::Redis(redis))
    }

    pub fn postgres() -> Self {
        Self::new(Postgres::shared().url(), Folder::new(), Service::Shared)
    }

    pub fn cluster() -> Self {
        Self::new(Cluster::shared().url(), Folder::new(), Service::Shared)
    }

    /// With a Redis that writes everything to the disk before it answers, and can be killed.
    pub fn own_redis() -> Self {
        let folder = Folder::new();
        let redis = Redis::start_on_disk(&folder.0);
        Self::new(redis.url(), folder, Service::Redis(redis))
    }

    /// With a PostgreSQL that can be killed.
    pub fn own_postgres() -> Self {
        let postgres = Postgres::start();
        Self::new(postgres.url(), Folder::new(), Service::Postgres(postgres))
    }

    /// With a cluster that can be killed.
    pub fn own_cluster() -> Self {
        let cluster = Cluster::start();
        Self::new(cluster.url(), Folder::new(), Service::Cluster(cluster))
    }

    fn new(url: String, folder: Folder, service: Service) -> Self {
        Self {
            url,
            time: Arc::new(AtomicU64::new(START)),
            log: Arc::default(),
            audit: Arc::default(),
            folder,
            service,
        }
    }

    /// A server with the defaults, two accounts and one client.
    pub async fn server(&self) -> Server {
        self.server_with(|_| ()).await
    }

    pub async fn server_with(&self, change: impl FnOnce(&mut Config)) -> Server {
        let mut config = self.config();
        change(&mut config);
        let app = App::open(config).await.expect("the store opens");
        Server { router: router(app) }
    }

    /// With the app itself, for its regular maintenance.
    pub async fn server_and_app(&self) -> (Server, Arc<App>) {
        let app = App::open(self.config()).await.expect("the store opens");
        (Server { router: router(app.clone()) }, app)
    }

    pub fn config(&self) -> Config {
        let (log, audit) = (self.log.clone(), self.audit.clone());
        Config {
            port: 0,
            store: self.url.clone(),
            users: vec![
                account(ALICE, &["user"]),
                account(ADMIN, &["user", "admin"]),
                NewUser {
                    second_factor: Some(Secret::new(CAROLS_APP.into())),
                    ..account(CAROL, &["user"])
                },
            ],
            audit: Audit::new(move |line| audit.lock().expect("audit").push(line.to_owned())),
            clients: vec![Client { id: CLIENT.0.into(), secret: Secret::new(CLIENT.1.into()) }],
            clock: self.clock(),
            store_clock: Some(self.clock()),
            log: Log::new(move |line| log.lock().expect("log").push(line.to_owned())),
            ..Config::default()
        }
    }

    pub fn clock(&self) -> Clock {
        let time = self.time.clone();
        Clock::new(move || time.load(SeqCst))
    }

    /// Moves the clock.
    pub fn pass(&self, time: Duration) {
        self.time.fetch_add(time.as_millis() as u64, SeqCst);
    }

    pub fn set_back(&self, time: Duration) {
        self.time.fetch_sub(time.as_millis() as u64, SeqCst);
    }

    pub fn now(&self) -> u64 {
        self.time.load(SeqCst)
    }

    pub fn log_lines(&self) -> Vec<String> {
        self.log.lock().expect("log").clone()
    }

    pub fn audit_lines(&self) -> Vec<String> {
        self.audit.lock().expect("audit").clone()
    }

    pub async fn store(&self) -> Arc<dyn Store> {
        store::open(&self.url, Some(self.clock())).await.expect("the store opens")
    }

    /// An account as stored.
    pub async fn user(&self, name: &str) -> User {
        match self.store().await.account(name).await.expect("asked") {
            Account::Known(user) => user,
            _ => panic!("no account {name}"),
        }
    }

    /// Every byte that the store has written down.
    pub fn store_bytes(&self) -> Vec<u8> {
        match &self.service {
            Service::Redis(redis) => redis.save(),
            Service::Shared | Service::Postgres(_) if self.url.starts_with("postgres") => {
                return postgres::dump(&self.url);
            }
            Service::Shared => return Cluster::shared().bytes(),
            _ => {}
        }
        let mut bytes = Vec::new();
        read_all(&self.folder.0, &mut bytes);
        bytes
    }

    /// Kills the store. Everything that it has confirmed must be on the disk.
    pub fn kill_store(&mut self) {
        match &mut self.service {
            Service::Redis(redis) => redis.kill(),
            Service::Postgres(postgres) => postgres.kill(),
            Service::Cluster(cluster) => cluster.nodes.iter_mut().for_each(|(node, _)| node.kill()),
            Service::None | Service::Shared => panic!("no store of this test's own"),
        }
    }

    pub fn resume_store(&mut self) {
        match &mut self.service {
            Service::Redis(redis) => assert!(redis.resume()),
            Service::Postgres(postgres) => assert!(postgres.resume()),
            Service::Cluster(cluster) => {
                cluster.nodes.iter_mut().for_each(|(node, _)| assert!(node.resume()));
                cluster.until_whole();
            }
            Service::None | Service::Shared => panic!("no store of this test's own"),
        }
    }

    /// `-STOP`: the store accepts connections and answers nobody, until `-CONT`.
    pub fn signal_store(&self, signal: &str) {
        match &self.service {
            Service::Redis(redis) => redis.signal(signal),
            Service::Postgres(postgres) => postgres.signal(signal),
            Service::Cluster(cluster) => {
                cluster.nodes.iter().for_each(|(node, _)| node.signal(signal));
            }
            Service::None | Service::Shared => panic!("no store of this test's own"),
        }
    }

    /// Empties the store.
    pub fn empty_store(&self) {
        let empty = |redis: &Redis| {
            redis.command(&["FLUSHALL"]);
            redis.command(&["SCRIPT", "FLUSH"]);
        };
        match &self.service {
            Service::Redis(redis) => empty(redis),
            Service::Cluster(cluster) => cluster.nodes.iter().for_each(|(node, _)| empty(node)),
            Service::Postgres(_) => {
                postgres::psql(&self.url, "DROP SCHEMA tokenkeep CASCADE").expect("dropped");
            }
            Service::None | Service::Shared => panic!("no store of this test's own"),
        }
    }

    /// The kind of store.
    pub fn scheme(&self) -> &str {
        self.url.split(':').next().unwrap_or_default()
    }

    pub fn folder(&self) -> &std::path::Path {
        &self.folder.0
    }
}

fn account((name, password): (&str, &str), roles: &[&str]) -> NewUser {
    NewUser {
        name: name.into(),
        password: Secret::new(password.into()),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        second_factor: None,
    }
}

#[derive(Clone)]
pub struct Server {
    pub router: Router,
}

/// How many rounds of a fault to play. `cargo xtask faults` plays more than the tests.
pub fn rounds(few: usize) -> usize {
    std::env::var("TOKENKEEP_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(few)
}

/// A temporary folder, removed with the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("tokenkeep-server-{}-{}", std::process::id(), COUNT.fetch_add(1, SeqCst));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn read_all(folder: &std::path::Path, bytes: &mut Vec<u8>) {
    for entry in fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            read_all(&path, bytes);
        } else {
            bytes.extend(fs::read(path).expect("a file"));
        }
    }
}
