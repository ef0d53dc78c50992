//! Child processes. Each runs in its own process group, so that a time limit or Ctrl-C ends it with
//! everything it has started, and nothing outlives a chore.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fmt;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static GROUPS: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// The chore was interrupted by Ctrl-C (or SIGTERM, SIGHUP).
#[derive(Debug)]
pub struct Interrupted;

impl fmt::Display for Interrupted {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("interrupted")
    }
}

impl std::error::Error for Interrupted {}

/// How long a child may run, and how long it may take to stop when asked to.
#[derive(Clone, Copy)]
pub struct Limit {
    run: Duration,
    stop: Duration,
}

impl Limit {
    /// For programs that run until they are told to stop.
    pub const NONE: Self = Self { run: Duration::MAX, ..Self::minutes(0) };

    pub const fn minutes(minutes: u64) -> Self {
        Self { run: Duration::from_secs(minutes * 60), stop: Duration::from_secs(5) }
    }

    /// For programs that must not be killed halfway, such as dpkg.
    pub const fn patient(self) -> Self {
        Self { stop: Duration::from_secs(180), ..self }
    }
}

/// From here on Ctrl-C is passed on to the children, and the chore ends once they have ended.
pub fn catch_interrupts() -> Result<()> {
    ctrlc::set_handler(|| {
        INTERRUPTED.store(true, Ordering::SeqCst);
        for group in GROUPS.lock().unwrap().iter() {
            signal(*group, Signal::SIGINT);
        }
    })
    .context("cannot listen for Ctrl-C")
}

pub fn check_interrupted() -> Result<()> {
    if INTERRUPTED.load(Ordering::SeqCst) {
        bail!(Interrupted);
    }
    Ok(())
}

/// Runs a command. Its output is passed through.
pub fn run(command: &mut Command, limit: Limit) -> Result<()> {
    let mut child = Running::start(command)?;
    let status = child.wait(limit)?;
    child.judge(status)
}

/// Runs a command, and passes each line of its standard output to `on_line`.
pub fn run_lines(
    command: &mut Command,
    limit: Limit,
    on_line: impl FnMut(&str) + Send,
) -> Result<()> {
    let mut child = Running::start(command.stdout(Stdio::piped()))?;
    let stdout = child.child.stdout.take().context("no standard output")?;
    let status = thread::scope(|scope| {
        scope.spawn(|| read_lines(stdout, on_line));
        let status = child.wait(limit);
        // Remaining processes of the group would keep the pipe open, and the reader waiting.
        signal(child.group, Signal::SIGKILL);
        status
    })?;
    child.judge(status)
}

/// The standard output of a command that finishes at once.
pub fn output(command: &mut Command) -> Result<String> {
    let out = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", name(command)))?;
    if !out.status.success() {
        let stderr = String::from_utf8_lossy(&out.stderr);
        bail!("{} failed: {}", name(command), stderr.trim());
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

/// The command line, as one would type it.
pub fn name(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str());
    let words: Vec<_> =
        [program].into_iter().chain(command.get_args()).map(OsStr::to_string_lossy).collect();
    format!("`{}`", words.join(" "))
}

struct Running {
    name: String,
    child: Child,
    group: Pid,
}

impl Running {
    fn start(command: &mut Command) -> Result<Self> {
        // The lock is held while the child starts, so that an interrupt meets either no child or a registered
        // one.
        let mut groups = GROUPS.lock().unwrap();
        check_interrupted()?;
        let child = command
            .stdin(Stdio::null())
            .process_group(0)
            .spawn()
            .with_context(|| format!("cannot start {}", name(command)))?;
        let group = Pid::from_raw(child.id().cast_signed());
        groups.push(group);
        Ok(Self { name: name(command), child, group })
    }

    fn wait(&mut self, limit: Limit) -> Result<ExitStatus> {
        let started = Instant::now();
        let mut asked_to_stop = None;
        let mut late = false;
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break status;
            }
            if asked_to_stop.is_none() {
                late = started.elapsed() > limit.run;
                if late {
                    signal(self.group, Signal::SIGTERM);
                }
                let stop = late || INTERRUPTED.load(Ordering::SeqCst);
                asked_to_stop = stop.then(Instant::now);
            }
            if asked_to_stop.is_some_and(|at| at.elapsed() > limit.stop) {
                signal(self.group, Signal::SIGKILL);
            }
            thread::sleep(Duration::from_millis(10));
        };
        check_interrupted()?;
        if late {
            let minutes = limit.run.as_secs() / 60;
            bail!("{} was stopped: not done after {minutes} minutes", self.name);
        }
        Ok(status)
    }

    fn judge(&self, status: ExitStatus) -> Result<()> {
        if !status.success() {
            bail!("{} failed ({status})", self.name);
        }
        Ok(())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        signal(self.group, Signal::SIGKILL);
        GROUPS.lock().unwrap().retain(|group| *group != self.group);
    }
}

/// Signalling a group that has already ended fails, which does no harm.
fn signal(group: Pid, signal: Signal) {
    let _ = killpg(group, signal);
}

fn read_lines(stdout: impl std::io::Read, mut on_line: impl FnMut(&str)) {
    let mut reader = BufReader::new(stdout);
    let mut line = Vec::new();
    while matches!(reader.read_until(b'\n', &mut line), Ok(read) if read > 0) {
        on_line(String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']));
        line.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, run, run_lines};
    use std::process::Command;
    use std::time::{Duration, Instant};

    const SHORT: Limit =
        Limit { run: Duration::from_millis(200), stop: Duration::from_millis(200) };

    /// A grandchild holds the pipe: if it survived, the test would wait for its end.
    #[test]
    fn a_child_past_its_limit_ends_with_everything_it_has_started() {
        let began = Instant::now();
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' TERM; sleep 1000 & wait; wait"]);
        let error = run_lines(&mut shell, SHORT, |_| ()).unwrap_err();
        assert!(error.to_string().contains("stopped"), "{error}");
        assert!(began.elapsed() < Duration::from_secs(500));
    }

    #[test]
    fn a_child_that_fails_is_named_with_its_status() {
        let error = run(Command::new("sh").args(["-c", "exit 3"]), Limit::minutes(1)).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed (exit status: 3)");
    }
}
