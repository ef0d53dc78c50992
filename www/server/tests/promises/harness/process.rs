//! A program that a test starts. It ends with its owner, and with the test program however that ends: a shell
//! holds it, and kills it when the pipe from here closes.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub struct Process {
    shell: Child,
    /// The program's process id.
    pub id: u32,
}

const HOLD: &str = r#""$@" > /dev/null 2>&1 & program=$!
echo $program
cat > /dev/null
kill -KILL $program 2> /dev/null
wait"#;

impl Process {
    /// If we are root and it refuses to run as root, it switches to its own user first.
    pub fn start(folder: &Path, words: &[&str]) -> Self {
        let mut shell = Command::new("sh")
            .args(["-c", HOLD, "sh"])
            .args(words)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh runs");
        // The shell prints the process id first.
        let mut line = String::new();
        let output = shell.stdout.as_mut().expect("piped");
        BufReader::new(output).read_line(&mut line).expect("the shell tells");
        Self { shell, id: line.trim().parse().expect("a number") }
    }

    /// Waits until it answers. Returns whether it does: it may also have ended.
    pub fn until_ready(&self, mut answers: impl FnMut() -> bool) -> bool {
        let program = format!("/proc/{}/exe", self.id);
        until("the start of a store", || {
            if answers() { Some(true) } else { (!Path::new(&program).exists()).then_some(false) }
        })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        let _ = self.shell.wait();
    }
}

pub fn signal(id: u32, signal: &str) {
    let status = Command::new("kill").args([signal, &id.to_string()]).status();
    assert!(status.expect("kill runs").success());
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

/// Polls until there is an answer.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "{what} takes more than 30 seconds");
        std::thread::sleep(Duration::from_millis(20));
    }
}
