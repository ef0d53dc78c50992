//! A program that a test starts. It ends with its owner, and with the test program whatever ends that: a
//! shell holds it, and kills it when the pipe from here closes.

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

pub struct Process(Child);

const HOLD: &str = r#""$@" > /dev/null 2>&1 & program=$!
echo $program
cat > /dev/null
kill -KILL $program 2> /dev/null
wait"#;

impl Process {
    /// Its user, when we are root and it would not run as root, is taken on before.
    pub fn start(folder: &Path, words: &[&str]) -> Self {
        let child = Command::new("sh")
            .args(["-c", HOLD, "sh"])
            .args(words)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("sh runs");
        Self(child)
    }

    /// The program's own number, which the shell tells first.
    pub fn id(&mut self) -> u32 {
        use std::io::{BufRead, BufReader};
        let output = self.0.stdout.as_mut().expect("piped, and asked for once");
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).expect("the shell tells");
        line.trim().parse().expect("a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
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

/// Asks until the answer is there.
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
