//! The open connections: what each waits for, since when, and which one to close.

use std::{
    collections::HashMap,
    net::IpAddr,
    ops::Deref,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::sync::Notify;

use super::Patience;
use crate::address::network;

/// In all of these but the last, the server waits for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    Idle,
    Head,
    Body { bytes: usize },
    Answer,
}

pub struct Entry {
    from: String,
    state: Mutex<State>,
    close: Notify,
}

struct State {
    phase: Phase,
    since: Instant,
    stuck_since: Option<Instant>,
}

impl Entry {
    fn new(from: String) -> Self {
        let state = State { phase: Phase::New, since: Instant::now(), stuck_since: None };
        Self { from, state: Mutex::new(state), close: Notify::new() }
    }

    /// Waits until this connection must be closed.
    pub async fn closed(&self) {
        self.close.notified().await;
    }

    pub fn bytes_have_come(&self) {
        let mut state = self.state();
        if state.phase == Phase::Idle {
            state.enter(Phase::Head);
        }
    }

    pub fn head_is_whole(&self, without_body: bool) {
        let next = if without_body { Phase::Answer } else { Phase::Body { bytes: 0 } };
        self.state().enter(next);
    }

    pub fn body_has_come(&self, more: usize, whole: bool) {
        let mut state = self.state();
        if let Phase::Body { bytes } = &mut state.phase {
            *bytes += more;
            if whole {
                state.enter(Phase::Answer);
            }
        }
    }

    pub fn is_answered(&self) {
        self.state().enter(Phase::Idle);
    }

    pub fn write_is_stuck(&self, stuck: bool) {
        let mut state = self.state();
        if !stuck {
            state.stuck_since = None;
        } else if state.stuck_since.is_none() {
            state.stuck_since = Some(Instant::now());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.close.notify_one();
    }
}

impl State {
    fn enter(&mut self, phase: Phase) {
        (self.phase, self.since) = (phase, Instant::now());
    }

    fn is_overdue(&self, patience: &Patience, now: Instant) -> bool {
        if self.stuck_since.is_some_and(|since| now - since > patience.answer) {
            return true;
        }
        let since = now.saturating_duration_since(self.since);
        match self.phase {
            Phase::New | Phase::Head => since > patience.head,
            Phase::Idle => since > patience.idle,
            Phase::Body { bytes } => {
                since > patience.body
                    && since.as_secs() > patience.body.as_secs() + bytes as u64 / 1024
            }
            Phase::Answer => false,
        }
    }

    fn waits_for_client(&self) -> bool {
        self.phase != Phase::Answer || self.stuck_since.is_some()
    }
}

pub struct Table {
    patience: Patience,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    count: u64,
    open: HashMap<u64, Arc<Entry>>,
}

impl Table {
    pub fn new(patience: Patience) -> Self {
        Self { patience, entries: Mutex::default() }
    }

    pub fn open(self: &Arc<Self>, from: IpAddr) -> Open {
        let entry = Arc::new(Entry::new(network(from)));
        let mut entries = self.entries();
        if entries.open.len() >= self.patience.connections {
            entries.close_one();
        }
        let id = entries.count;
        entries.count += 1;
        entries.open.insert(id, entry.clone());
        Open { table: self.clone(), id, entry }
    }

    /// Closes connections whose clients have taken too long.
    pub fn sweep(&self) {
        let now = Instant::now();
        for entry in self.entries().open.values() {
            if entry.state().is_overdue(&self.patience, now) {
                entry.close();
            }
        }
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    /// Makes room: of the address with the most connections, it closes the one that has waited for its client
    /// the longest. A client that sends its request gets in, and is answered before its turn to be closed
    /// comes.
    fn close_one(&mut self) {
        let mut of: HashMap<&str, usize> = HashMap::new();
        let waiting: Vec<_> = self
            .open
            .iter()
            .filter_map(|(id, entry)| {
                let state = entry.state();
                state.waits_for_client().then_some((*id, entry, state.since))
            })
            .collect();
        for (_, entry, _) in &waiting {
            *of.entry(&entry.from).or_default() += 1;
        }
        let first = waiting
            .iter()
            .max_by_key(|(_, entry, since)| (of[entry.from.as_str()], std::cmp::Reverse(*since)))
            .map(|(id, ..)| *id);
        if let Some(entry) = first.and_then(|id| self.open.remove(&id)) {
            entry.close();
        }
    }
}

/// A connection's place in the table until it is dropped.
pub struct Open {
    table: Arc<Table>,
    id: u64,
    entry: Arc<Entry>,
}

impl Deref for Open {
    type Target = Arc<Entry>;

    fn deref(&self) -> &Arc<Entry> {
        &self.entry
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.table.entries().open.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn state(phase: Phase) -> State {
        State { phase, since: Instant::now(), stuck_since: None }
    }

    #[test]
    fn each_phase_has_its_own_patience() {
        let patience = Patience::default();
        for (phase, seconds) in [
            (Phase::New, 10),
            (Phase::Head, 10),
            (Phase::Idle, 75),
            (Phase::Body { bytes: 0 }, 20),
            (Phase::Body { bytes: 10 * 1024 }, 30),
        ] {
            let state = state(phase);
            let after = |seconds| state.since + Duration::from_secs(seconds);
            assert!(!state.is_overdue(&patience, after(seconds)), "{phase:?}");
            assert!(state.is_overdue(&patience, after(seconds + 1)), "{phase:?}");
        }
        let mut answering = state(Phase::Answer);
        let later = answering.since + Duration::from_secs(3_600);
        assert!(!answering.is_overdue(&patience, later), "an answer takes the time it takes");
        answering.stuck_since = Some(answering.since);
        assert!(answering.is_overdue(&patience, later), "unless its client does not read it");
    }

    #[test]
    fn a_full_table_closes_the_longest_silent_connection_of_the_busiest_address() {
        let table = Arc::new(Table::new(Patience { connections: 4, ..Patience::default() }));
        let (crowd, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let alone = table.open(other);
        let answering = table.open(crowd);
        answering.head_is_whole(true);
        let (silent, newer) = (table.open(crowd), table.open(crowd));
        let _more = table.open(crowd);
        let is_open = |open: &Open| table.entries().open.contains_key(&open.id);
        assert!(!is_open(&silent));
        assert!(is_open(&alone) && is_open(&answering) && is_open(&newer));
    }
}
