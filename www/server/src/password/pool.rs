//! The threads that check passwords, and the order in which callers are served.
//!
//! A check takes 19 MiB and tens of milliseconds of a core. So there are few threads, half as many as cores:
//! refreshes and the API have the other half. Each thread keeps its memory for the next check, because memory
//! that is allocated and freed each time stays with the process: the allocator keeps 19 MiB for each thread
//! that ever checked a password.
//!
//! A crowd must not keep others out. Users who have logged in from this address before come first. Then the
//! addresses take turns. Of one address the newest caller comes first: after a burst of guesses, its caller
//! is the one still there.

use std::{
    collections::{HashMap, VecDeque},
    num::NonZero,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
};

use argon2::Block;
use tokio::sync::oneshot;

/// How many callers of one address may wait. With one more, the oldest is told to come again.
const MOST_WAITING: usize = 32;

/// A caller who asks for a check.
pub struct Turn {
    /// The client's address, or its network.
    pub from: String,
    /// This account has logged in from there before.
    pub known: bool,
}

/// Too many callers wait from this address.
#[derive(Debug)]
pub struct Busy;

type Work = Box<dyn FnOnce(&mut Vec<Block>) + Send>;

pub struct Pool(Arc<Queue>);

#[derive(Default)]
struct Queue {
    inner: Mutex<Inner>,
    changed: Condvar,
}

#[derive(Default)]
struct Inner {
    known: Lanes,
    strangers: Lanes,
    closed: bool,
}

/// The waiting checks, by address.
#[derive(Default)]
struct Lanes {
    turns: VecDeque<String>,
    waiting: HashMap<String, VecDeque<Work>>,
}

impl Pool {
    pub fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self::with_threads((cores / 2).max(1))
    }

    fn with_threads(count: usize) -> Self {
        let queue = Arc::new(Queue::default());
        for _ in 0..count {
            let queue = queue.clone();
            thread::Builder::new()
                .name("passwords".into())
                .spawn(move || queue.work())
                .expect("a thread can be started");
        }
        Self(queue)
    }

    pub async fn run<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce(&mut Vec<Block>) -> T + Send + 'static,
    ) -> Result<T, Busy> {
        let (answer, answered) = oneshot::channel();
        let work: Work = Box::new(move |memory| {
            // A caller who has hung up needs no answer.
            if !answer.is_closed() {
                let _ = answer.send(work(memory));
            }
        });
        self.0.add(turn, work);
        answered.await.map_err(|_| Busy)
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.0.inner().closed = true;
        self.0.changed.notify_all();
    }
}

impl Queue {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, turn: Turn, work: Work) {
        let mut inner = self.inner();
        let lanes = if turn.known { &mut inner.known } else { &mut inner.strangers };
        let dropped = lanes.add(turn.from, work);
        drop(inner);
        drop(dropped);
        self.changed.notify_one();
    }

    fn work(&self) {
        let mut memory = Vec::new();
        while let Some(work) = self.next() {
            work(&mut memory);
        }
    }

    fn next(&self) -> Option<Work> {
        let mut inner = self.inner();
        loop {
            if inner.closed {
                return None;
            }
            if let Some(work) = inner.known.next().or_else(|| inner.strangers.next()) {
                return Some(work);
            }
            inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Lanes {
    /// Adds a check. Returns the one that is displaced.
    fn add(&mut self, from: String, work: Work) -> Option<Work> {
        let lane = self.waiting.entry(from.clone()).or_default();
        if lane.is_empty() {
            self.turns.push_back(from);
        }
        lane.push_back(work);
        if lane.len() > MOST_WAITING { lane.pop_front() } else { None }
    }

    fn next(&mut self) -> Option<Work> {
        let from = self.turns.pop_front()?;
        let lane = self.waiting.get_mut(&from)?;
        let work = lane.pop_back();
        if lane.is_empty() {
            self.waiting.remove(&from);
        } else {
            self.turns.push_back(from);
        }
        work
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(told: &Arc<Mutex<Vec<&'static str>>>, name: &'static str) -> Work {
        let told = told.clone();
        Box::new(move |_| told.lock().expect("told").push(name))
    }

    #[test]
    fn addresses_take_turns_and_of_one_the_newest_comes_first() {
        let told = Arc::default();
        let mut lanes = Lanes::default();
        for (from, name) in
            [("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1"), ("c", "c1"), ("c", "c2")]
        {
            assert!(lanes.add(from.into(), named(&told, name)).is_none());
        }
        while let Some(work) = lanes.next() {
            work(&mut Vec::new());
        }
        assert_eq!(*told.lock().expect("told"), ["a3", "b1", "c2", "a2", "c1", "a1"]);
    }

    #[test]
    fn with_too_many_callers_the_oldest_is_displaced() {
        let told = Arc::default();
        let mut lanes = Lanes::default();
        lanes.add("a".into(), named(&told, "oldest"));
        for _ in 1..MOST_WAITING {
            assert!(lanes.add("a".into(), Box::new(|_| ())).is_none());
        }
        let gone = lanes.add("a".into(), Box::new(|_| ())).expect("one goes");
        gone(&mut Vec::new());
        assert_eq!(*told.lock().expect("told"), ["oldest"]);
    }

    #[tokio::test]
    async fn a_displaced_caller_is_told_so() {
        // Without a thread, all callers wait.
        let pool = Pool(Arc::default());
        let turn = || Turn { from: "a".into(), known: false };
        let first = pool.run(turn(), |_| ());
        let others = async {
            for _ in 0..MOST_WAITING {
                pool.0.add(turn(), Box::new(|_| ()));
            }
        };
        let (first, ()) = tokio::join!(first, others);
        assert!(first.is_err());
    }

    #[tokio::test]
    async fn a_known_user_comes_before_strangers() {
        let pool = Arc::new(Pool::with_threads(1));
        let told = Arc::new(Mutex::new(Vec::new()));
        // Occupies the only thread until all others wait.
        let (begun, has_begun) = oneshot::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        pool.0.add(
            Turn { from: "x".into(), known: false },
            Box::new(move |_| {
                let _ = begun.send(());
                let _ = released.recv();
            }),
        );
        has_begun.await.expect("it has begun");
        for (name, known) in [("guess", false), ("guess", false), ("known", true)] {
            let told = told.clone();
            pool.0.add(
                Turn { from: "y".into(), known },
                Box::new(move |_| told.lock().expect("told").push(name)),
            );
        }
        release.send(()).expect("it waits");
        let last = pool.run(Turn { from: "z".into(), known: false }, |_| ());
        last.await.expect("a turn");
        pool.run(Turn { from: "y".into(), known: false }, |_| ()).await.expect("a turn");
        assert_eq!(told.lock().expect("told")[0], "known");
    }
}
