//! Keeps the server awake with which wasm-bindgen's test runner serves its page.
//!
//! The server (tiny_http) starts with four threads that wait for connections. If all connections come at
//! once, it gives a fifth one to a thread that has just become busy: a browser opens six, and one of its
//! requests is never answered. If all four threads are busy beforehand, each new connection gets its own
//! thread. So this module opens four silent connections before the browser starts.

use std::collections::HashSet;
use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// The runner's name in `/proc`, which truncates it.
const RUNNER: &str = "wasm-bindgen-te";
const THREADS: usize = 4;
/// The state of a listening socket in `/proc/net/tcp`.
const LISTENS: &str = "0A";

/// Runs `work`, and looks after the server meanwhile. Without `/proc`, it only runs `work`.
pub fn look_after<T>(work: impl FnOnce() -> T) -> T {
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut held = Vec::new();
            let mut seen = HashSet::new();
            while !is_done.load(Ordering::Relaxed) {
                for port in ports() {
                    if seen.insert(port) {
                        let open = || TcpStream::connect(("127.0.0.1", port)).ok();
                        held.extend((0..THREADS).filter_map(|_| open()));
                    }
                }
                thread::sleep(Duration::from_millis(20));
            }
        });
        let outcome = work();
        is_done.store(true, Ordering::Relaxed);
        outcome
    })
}

/// The ports on which runners listen.
fn ports() -> Vec<u16> {
    let sockets = sockets_of_runners();
    if sockets.is_empty() {
        return Vec::new();
    }
    let table = fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    table.lines().filter_map(|line| port(line, &sockets)).collect()
}

/// The port in a line of `/proc/net/tcp`, if one of these sockets listens on it.
fn port(line: &str, sockets: &HashSet<String>) -> Option<u16> {
    let columns: Vec<&str> = line.split_whitespace().collect();
    let is_ours = columns.get(3) == Some(&LISTENS) && sockets.contains(*columns.get(9)?);
    let (_, port) = columns.get(1)?.split_once(':')?;
    is_ours.then(|| u16::from_str_radix(port, 16).ok()).flatten()
}

fn sockets_of_runners() -> HashSet<String> {
    let mut sockets = HashSet::new();
    for process in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let path = process.path();
        let name = fs::read_to_string(path.join("comm")).unwrap_or_default();
        if name.trim() == RUNNER {
            sockets.extend(sockets_of(&path));
        }
    }
    sockets
}

fn sockets_of(process: &Path) -> Vec<String> {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    files
        .filter_map(|file| {
            let target = fs::read_link(file.path()).ok()?;
            let inode = target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?;
            Some(inode.to_owned())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_of_a_listening_socket_is_read() {
        let ours = HashSet::from(["4711".to_owned()]);
        let line = |state: &str, inode: &str| {
            format!("0: 0100007F:8677 00000000:0000 {state} 0:0 0:0 0 0 0 {inode} 1")
        };
        assert_eq!(port(&line("0A", "4711"), &ours), Some(0x8677));
        assert_eq!(port(&line("01", "4711"), &ours), None, "a connection");
        assert_eq!(port(&line("0A", "12"), &ours), None, "somebody else's");
        assert_eq!(port("  sl  local_address", &ours), None);
    }
}
