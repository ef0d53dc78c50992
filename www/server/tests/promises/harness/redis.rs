//! The tests' own Redis: Debian's `redis-server`. One for each test, because it starts at once; but one
//! cluster of three for all tests, in which each test has its own name.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        OnceLock,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use super::{
    Folder,
    certificate::Certificate,
    process::{Process, free_port, signal, until},
};

pub struct Redis {
    port: u16,
    bus: u16,
    /// The TLS port, if there is a certificate.
    tls: u16,
    folder: PathBuf,
    more: Vec<String>,
    process: Option<Process>,
}

/// If another process takes the port before Redis does, the next port is tried.
const TRIES: usize = 20;
const IN_MEMORY: &[&str] = &["--appendonly", "no"];
const ON_DISK: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];
const IN_CLUSTER: &[&str] = &[
    "--cluster-enabled",
    "yes",
    "--cluster-node-timeout",
    "15000",
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
];

fn encrypted(certificate: &Certificate) -> Vec<&str> {
    let files = [&certificate.file, &certificate.key_file];
    let [file, key] = files.map(|path| path.to_str().expect("a plain path"));
    let mut words = vec!["--tls-cert-file", file, "--tls-key-file", key];
    words.extend(["--tls-ca-cert-file", file, "--tls-auth-clients", "no", "--tls-cluster", "yes"]);
    words
}

impl Redis {
    pub fn start(folder: &Path) -> Self {
        Self::start_with(folder, IN_MEMORY)
    }

    pub fn start_on_disk(folder: &Path) -> Self {
        Self::start_with(folder, ON_DISK)
    }

    pub fn start_encrypted(folder: &Path, certificate: &Certificate) -> Self {
        Self::start_with(folder, &[IN_MEMORY, &encrypted(certificate)].concat())
    }

    /// A cluster of one node.
    pub fn start_encrypted_cluster(folder: &Path, certificate: &Certificate) -> Self {
        let node = Self::start_with(folder, &[IN_CLUSTER, &encrypted(certificate)].concat());
        node.command(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
        until("the cluster", || {
            node.command(&["CLUSTER", "INFO"]).contains("cluster_state:ok").then_some(())
        });
        node
    }

    fn start_with(folder: &Path, more: &[&str]) -> Self {
        for _ in 0..TRIES {
            let mut redis = Self {
                port: free_port(),
                bus: free_port(),
                tls: free_port(),
                folder: folder.to_owned(),
                more: more.iter().map(|word| (*word).to_owned()).collect(),
                process: None,
            };
            if redis.resume() {
                return redis;
            }
        }
        panic!("redis-server does not start: apt-get install redis-server");
    }

    /// Starts it again on the same port. Returns whether that worked.
    pub fn resume(&mut self) -> bool {
        let [port, bus, tls] = [self.port, self.bus, self.tls].map(|port| port.to_string());
        let mut words = vec!["redis-server", "--port", &port, "--bind", "127.0.0.1"];
        words.extend(["--cluster-port", &bus, "--save", "", "--rdbcompression", "no"]);
        words.extend(self.more.iter().map(String::as_str));
        if words.contains(&"--tls-cert-file") {
            words.extend(["--tls-port", &tls]);
        }
        let process = Process::start(&self.folder, &words);
        let client = self.client();
        let ready = process.until_ready(|| {
            let answer =
                client.get_connection().and_then(|mut redis| redis::cmd("PING").exec(&mut redis));
            answer.is_ok()
        });
        self.process = Some(process);
        ready
    }

    /// Kills it, as a power cut does.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        self.process = None;
    }

    pub fn signal(&self, name: &str) {
        signal(self.process.as_ref().expect("it runs").id, name);
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn encrypted_url(&self) -> String {
        format!("rediss://127.0.0.1:{}", self.tls)
    }

    fn client(&self) -> redis::Client {
        redis::Client::open(self.url()).expect("a URL")
    }

    pub fn command(&self, words: &[&str]) -> String {
        let mut command = redis::Cmd::new();
        words.iter().for_each(|word| {
            command.arg(*word);
        });
        let mut connection = self.client().get_connection().expect("Redis listens");
        command.query(&mut connection).expect("Redis answers")
    }

    /// Makes it the replica of another, with all data, or a primary.
    pub fn follow(&self, primary: Option<&Self>) {
        let port = primary.map(|primary| primary.port.to_string());
        let host = if port.is_some() { "127.0.0.1" } else { "NO" };
        self.command(&["REPLICAOF", host, port.as_deref().unwrap_or("ONE")]);
        let wanted = if port.is_some() { "master_link_status:up" } else { "role:master" };
        until("the replication", || {
            self.command(&["INFO", "replication"]).contains(wanted).then_some(())
        });
    }

    /// Makes Redis write everything it has to its folder.
    pub fn save(&self) {
        self.command(&["SAVE"]);
    }
}

/// A Sentinel that watches a primary and its replicas, and decides alone.
pub struct Sentinel {
    port: u16,
    _process: Process,
}

impl Sentinel {
    pub fn start(folder: &Path, primary: &Redis) -> Self {
        let port = free_port();
        let file = folder.join("sentinel.conf");
        let text = format!(
            "port {port}\nbind 127.0.0.1\n\
             sentinel monitor primary 127.0.0.1 {} 1\n\
             sentinel down-after-milliseconds primary 500\n",
            primary.port
        );
        fs::write(&file, text).expect("written");
        let file = file.to_str().expect("a plain path");
        let process = Process::start(folder, &["redis-server", file, "--sentinel"]);
        let sentinel = Self { port, _process: process };
        // Before it knows the replica it cannot fail over.
        let url = format!("redis://127.0.0.1:{port}");
        let client = redis::Client::open(url).expect("a URL");
        until("the Sentinel", || {
            let mut connection = client.get_connection().ok()?;
            let mut ask = redis::cmd("SENTINEL");
            let known: Vec<redis::Value> =
                ask.arg("REPLICAS").arg("primary").query(&mut connection).ok()?;
            (!known.is_empty()).then_some(())
        });
        sentinel
    }

    pub fn url(&self) -> String {
        format!("redis+sentinel://127.0.0.1:{}/primary", self.port)
    }
}

pub struct Cluster {
    pub nodes: Vec<(Redis, Folder)>,
}

impl Cluster {
    /// The cluster for all tests, which ends with the test program.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    pub fn start() -> Self {
        let nodes: Vec<_> = (0..3)
            .map(|_| {
                let folder = Folder::new();
                (Redis::start_with(&folder.0, IN_CLUSTER), folder)
            })
            .collect();
        for (index, (node, _)) in nodes.iter().enumerate() {
            let slots = [0, 5461, 10923, 16384];
            let (first, last) = (slots[index].to_string(), (slots[index + 1] - 1).to_string());
            node.command(&["CLUSTER", "ADDSLOTSRANGE", &first, &last]);
            node.command(&["CLUSTER", "SET-CONFIG-EPOCH", &(index + 1).to_string()]);
            let (port, bus) = (nodes[0].0.port.to_string(), nodes[0].0.bus.to_string());
            node.command(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]);
        }
        let cluster = Self { nodes };
        cluster.until_whole();
        cluster
    }

    /// Waits until every node reports all slots as served.
    pub fn until_whole(&self) {
        until("the meeting of the cluster", || {
            self.nodes
                .iter()
                .all(|(node, _)| {
                    let info = node.command(&["CLUSTER", "INFO"]);
                    info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
                })
                .then_some(())
        });
    }

    /// Every byte that it has written, for all tests.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (node, folder) in &self.nodes {
            node.save();
            super::read_all(&folder.0, &mut bytes);
        }
        bytes
    }

    /// A URL with a new name.
    pub fn url(&self) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let hosts: Vec<_> =
            self.nodes.iter().map(|(node, _)| format!("127.0.0.1:{}", node.port)).collect();
        format!("redis+cluster://{}/test-{}", hosts.join(","), COUNT.fetch_add(1, SeqCst))
    }
}
