//! A Redis of the test's own: Debian's `redis-server`, on a free port, killed when the test is over.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
};

pub struct Redis {
    process: Child,
    port: u16,
}

impl Redis {
    pub fn start(folder: &Path) -> Self {
        // Another process may take the port before Redis does: then Redis ends, and the next port it is.
        for _ in 0..20 {
            let port = free_port();
            let mut process = Command::new("redis-server")
                .args(["--port", &port.to_string(), "--bind", "127.0.0.1"])
                .args(["--dir", &folder.display().to_string()])
                .args(["--save", "", "--appendonly", "no", "--rdbcompression", "no"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .spawn()
                .unwrap_or_else(|error| {
                    panic!("redis-server does not start ({error}): apt-get install redis-server")
                });
            let output = process.stdout.take().expect("piped");
            let ready = BufReader::new(output)
                .lines()
                .map_while(Result::ok)
                .any(|line| line.contains("Ready to accept connections"));
            if ready {
                return Self { process, port };
            }
            let _ = process.wait();
        }
        panic!("redis-server found no free port in 20 tries");
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Has Redis write everything it holds to its folder.
    pub fn save(&self) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("Redis listens");
        stream.write_all(b"SAVE\r\n").expect("Redis reads");
        let mut answer = [0; 5];
        stream.read_exact(&mut answer).expect("Redis answers");
        assert_eq!(&answer, b"+OK\r\n");
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}
