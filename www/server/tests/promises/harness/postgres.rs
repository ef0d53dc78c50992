//! The tests' own PostgreSQL: Debian's `postgresql`. One server for all tests, with a database for each.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Stdio},
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

pub struct Postgres {
    port: u16,
    folder: Folder,
    more: &'static [&'static str],
    process: Option<Process>,
}

/// Faster, but not safe from a power cut.
const WITHOUT_SYNC: &[&str] = &["-F"];

impl Postgres {
    /// The server for all tests, which ends with the test program.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Postgres> = OnceLock::new();
        SHARED.get_or_init(|| Self::start_with(WITHOUT_SYNC))
    }

    /// A server that writes to the disk before it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(more: &'static [&'static str]) -> Self {
        let folder = Folder::new();
        if is_root() {
            run(Command::new("chown").arg("postgres").arg(&folder.0));
        }
        let data = folder.0.join("data");
        let data = data.to_str().expect("a plain path");
        let words = as_postgres("initdb");
        run(Command::new(&words[0]).args(&words[1..]).args([
            "--pgdata",
            data,
            "--auth",
            "trust",
            "--username",
            "postgres",
            "--encoding",
            "UTF8",
            "--locale",
            "C",
            "--no-sync",
            "--no-instructions",
        ]));
        let mut postgres = Self { port: 0, folder, more, process: None };
        for _ in 0..20 {
            postgres.port = free_port();
            if postgres.resume() {
                return postgres;
            }
        }
        panic!("postgres does not start: apt-get install postgresql");
    }

    /// Starts it again on the same port. Returns whether that worked.
    pub fn resume(&mut self) -> bool {
        let data = self.folder.0.join("data");
        let port = self.port.to_string();
        let mut words = as_postgres("postgres");
        words.extend(["-D", data.to_str().expect("a plain path"), "-p", &port].map(str::to_owned));
        words.extend(["-h", "127.0.0.1", "-k", ""].map(str::to_owned));
        let words: Vec<&str> =
            words.iter().map(String::as_str).chain(self.more.iter().copied()).collect();
        let process = Process::start(&self.folder.0, &words);
        let ready = process.until_ready(|| self.try_sql("SELECT 1"));
        self.process = Some(process);
        ready
    }

    /// From now on it also accepts TLS.
    pub fn encrypt(&self, certificate: &Certificate) {
        let file = |name: &str| self.folder.0.join("data").join(name);
        let (cert, key) = (file("server.crt"), file("server.key"));
        fs::copy(&certificate.file, &cert).expect("copied");
        fs::copy(&certificate.key_file, &key).expect("copied");
        // PostgreSQL refuses a key that others can read.
        run(Command::new("chmod").arg("600").arg(&key));
        if is_root() {
            run(Command::new("chown").arg("postgres").args([&cert, &key]));
        }
        assert!(self.try_sql("ALTER SYSTEM SET ssl = on"));
        assert!(self.try_sql("SELECT pg_reload_conf()"));
        let url = format!("{}?sslmode=require", self.url());
        until("TLS", || psql(&url, "SELECT 1").map(drop));
    }

    /// Kills all of its processes, as a power cut does.
    pub fn kill(&mut self) {
        self.signal("-KILL");
        self.process = None;
    }

    /// Sends a signal to all of its processes.
    pub fn signal(&self, name: &str) {
        let id = self.process.as_ref().expect("it runs").id;
        let children = fs::read_to_string(format!("/proc/{id}/task/{id}/children"));
        signal(id, name);
        for child in children.expect("its children").split_whitespace() {
            // A process may have just ended.
            let mut kill = Command::new("kill");
            let _ = kill.args([name, child]).stderr(Stdio::null()).status();
        }
    }

    /// The URL of a new database.
    pub fn url(&self) -> String {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("test_{}", COUNT.fetch_add(1, SeqCst));
        assert!(self.try_sql(&format!("CREATE DATABASE {name}")), "no database {name}");
        format!("postgres://postgres@127.0.0.1:{}/{name}", self.port)
    }

    pub fn try_sql(&self, statement: &str) -> bool {
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", self.port);
        psql(&url, statement).is_some()
    }
}

/// Runs a statement in the database of a URL, and returns its output.
pub fn psql(url: &str, statement: &str) -> Option<String> {
    let output = Command::new("psql")
        .args(["--no-psqlrc", "-qtA", "-v", "ON_ERROR_STOP=1", "-c", statement, url])
        .stderr(Stdio::null())
        .output()
        .expect("psql runs: apt-get install postgresql");
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Every row of every table, as text.
pub fn dump(url: &str) -> Vec<u8> {
    let output = Command::new("pg_dump").args(["--inserts", url]).output().expect("pg_dump runs");
    assert!(output.status.success());
    output.stdout
}

/// Debian keeps the server's programs in a folder named after their version. They refuse to run as root.
fn as_postgres(program: &str) -> Vec<String> {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let path = versions
        .map(|version| version.path().join("bin").join(program))
        .filter(|path| path.exists())
        .max()
        .unwrap_or_else(|| PathBuf::from(program));
    let mut words = Vec::new();
    if is_root() {
        words.extend(["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]);
    }
    let path = path.to_str().expect("a plain path");
    words.into_iter().chain([path]).map(str::to_owned).collect()
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().expect("id runs");
    output.stdout.starts_with(b"0")
}

fn run(command: &mut Command) {
    let output = command.current_dir("/").output().expect("it runs: apt-get install postgresql");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
