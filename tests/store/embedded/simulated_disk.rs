//! A simulated disk that can be full, fail, and lose power.

use std::collections::VecDeque;
use std::io::{ErrorKind, Result};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use redb::StorageBackend;

/// Contents of disk sectors. A sector is written completely or not at all.
const SECTOR: usize = 512;

/// The disk; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    /// Contents as read: everything written, on the disk or in the cache.
    content: Vec<u8>,
    /// Contents on the disk.
    durable: Vec<u8>,
    /// Operations since the last sync.
    unsynced: Vec<Event>,
    /// Operations in order, if they are recorded.
    history: Option<Vec<Event>>,
    fault: Fault,
    /// Failures of the next syncs, before `fault` applies.
    failing: VecDeque<bool>,
    /// Syncs block.
    is_held: bool,
    is_waited_for: bool,
    held_read: HeldRead,
    random: fastrand::Rng,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum HeldRead {
    #[default]
    None,
    /// The next read blocks.
    Next,
    /// A read is blocked.
    Waiting,
}

impl Default for State {
    fn default() -> Self {
        Self {
            content: Vec::new(),
            durable: Vec::new(),
            unsynced: Vec::new(),
            history: None,
            fault: Fault::None,
            failing: VecDeque::new(),
            is_held: false,
            is_waited_for: false,
            held_read: HeldRead::None,
            random: fastrand::Rng::with_seed(20),
        }
    }
}

/// Current fault.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// The disk cannot grow.
    Full,
    /// Writes fail.
    Writes,
    /// Syncs fail.
    Syncs,
    /// Reads fail.
    Reads,
}

/// An operation on a disk.
#[derive(Debug, Clone)]
pub enum Event {
    Write {
        offset: usize,
        data: Vec<u8>,
    },
    Resized(usize),
    Synced,
    /// A failed sync: only this part reached the disk, and no later sync writes the
    /// rest.
    SyncFailed(Vec<Event>),
    /// The write was acknowledged.
    Acknowledged,
}

impl Disk {
    /// Creates a disk with this content.
    pub fn holding(content: Vec<u8>) -> Self {
        let disk = Self::default();
        {
            let mut state = disk.state();
            state.durable.clone_from(&content);
            state.content = content;
        }
        disk
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap()
    }

    /// Starts recording operations.
    pub fn note(&self, event: Option<Event>) {
        self.state().history.get_or_insert_default().extend(event);
    }

    /// Returns the recorded operations.
    pub fn history(&self) -> Vec<Event> {
        self.state().history.take().unwrap()
    }

    pub fn content(&self) -> Vec<u8> {
        self.state().content.clone()
    }

    /// Sets or clears the fault.
    pub fn set_fault(&self, fault: Fault) {
        self.state().fault = fault;
    }

    /// Makes the next syncs fail where `true`.
    pub fn fail_syncs(&self, failing: impl IntoIterator<Item = bool>) {
        self.state().failing.extend(failing);
    }

    /// Drops the cache, after writing what can be written.
    pub fn forget_unwritten(&self) -> Result<()> {
        self.sync_data()?;
        let state = &mut *self.state();
        state.content.clone_from(&state.durable);
        Ok(())
    }

    /// Blocks syncs.
    pub fn hold_syncs(&self) {
        self.state().is_held = true;
    }

    /// Waits until a sync is blocked.
    pub fn until_a_sync_waits(&self) {
        let patience = Duration::from_secs(60);
        let waits = |state: &mut State| !state.is_waited_for;
        let waited = self
            .0
            .changed
            .wait_timeout_while(self.state(), patience, waits);
        assert!(!waited.unwrap().1.timed_out(), "nothing is synced");
    }

    /// Blocks the next read.
    pub fn hold_a_read(&self) {
        self.state().held_read = HeldRead::Next;
    }

    pub fn a_read_waits(&self) -> bool {
        self.state().held_read == HeldRead::Waiting
    }

    pub fn release_the_read(&self) {
        self.state().held_read = HeldRead::None;
        self.0.changed.notify_all();
    }

    pub fn release_syncs(&self) {
        self.state().is_held = false;
        self.0.changed.notify_all();
    }
}

impl State {
    fn fails(&self, fault: Fault, kind: ErrorKind) -> Result<()> {
        if self.fault == fault {
            return Err(kind.into());
        }
        Ok(())
    }

    fn does(&mut self, event: Event) {
        event.clone().apply(&mut self.content);
        self.notes(event.clone());
        self.unsynced.push(event);
    }

    fn notes(&mut self, event: Event) {
        if let Some(history) = &mut self.history {
            history.push(event);
        }
    }

    fn syncs(&mut self) -> Result<()> {
        let fails = self.failing.pop_front().unwrap_or_default();
        let outcome = match fails {
            true => Err(ErrorKind::Other.into()),
            false => self.fails(Fault::Syncs, ErrorKind::Other),
        };
        let unsynced = mem::take(&mut self.unsynced);
        if outcome.is_ok() {
            apply(unsynced, &mut self.durable);
            self.notes(Event::Synced);
        } else {
            // Like Linux, which treats pages that could not be written as clean.
            let reached = torn(&unsynced, &mut self.random);
            apply(reached.clone(), &mut self.durable);
            self.notes(Event::SyncFailed(reached));
        }
        outcome
    }
}

/// Part of the unsynced writes that a power loss or a failed sync leaves.
fn torn(events: &[Event], random: &mut fastrand::Rng) -> Vec<Event> {
    let torn = events.iter().flat_map(|event| event.clone().torn(random));
    torn.collect()
}

fn apply(events: Vec<Event>, content: &mut Vec<u8>) {
    for event in events {
        event.apply(content);
    }
}

impl Event {
    fn apply(self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => {
                if content.len() < offset + data.len() {
                    content.resize(offset + data.len(), 0);
                }
                content[offset..offset + data.len()].copy_from_slice(&data);
            }
            Self::Resized(length) => content.resize(length, 0),
            Self::Synced | Self::SyncFailed(_) | Self::Acknowledged => {}
        }
    }

    /// Returns the remaining writes, sector by sector.
    fn torn(self, random: &mut fastrand::Rng) -> Vec<Self> {
        match self {
            Self::Write { offset, data } => data
                .chunks(SECTOR)
                .enumerate()
                .filter(|_| random.bool())
                .map(|(index, sector)| Self::Write {
                    offset: offset + index * SECTOR,
                    data: sector.to_vec(),
                })
                .collect(),
            other if random.bool() => vec![other],
            _ => Vec::new(),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> Result<u64> {
        Ok(self.state().content.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let mut state = self.state();
        if state.held_read == HeldRead::Next {
            state.held_read = HeldRead::Waiting;
            let waits = |state: &mut State| state.held_read == HeldRead::Waiting;
            state = self.0.changed.wait_while(state, waits).unwrap();
        }
        state.fails(Fault::Reads, ErrorKind::Other)?;
        let start = usize::try_from(offset).unwrap();
        let found = state.content.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<()> {
        let mut state = self.state();
        let length = usize::try_from(length).unwrap();
        if length > state.content.len() {
            state.fails(Fault::Full, ErrorKind::StorageFull)?;
        }
        state.fails(Fault::Writes, ErrorKind::Other)?;
        state.does(Event::Resized(length));
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        let mut state = self.state();
        state.is_waited_for = state.is_held;
        self.0.changed.notify_all();
        let released = self.0.changed.wait_while(state, |state| state.is_held);
        let mut state = released.unwrap();
        state.is_waited_for = false;
        state.syncs()
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut state = self.state();
        let offset = usize::try_from(offset).unwrap();
        if offset + data.len() > state.content.len() {
            state.fails(Fault::Full, ErrorKind::StorageFull)?;
        }
        state.fails(Fault::Writes, ErrorKind::Other)?;
        state.does(Event::Write {
            offset,
            data: data.to_vec(),
        });
        Ok(())
    }
}

/// State of the disk after a power loss.
pub struct Remains {
    pub content: Vec<u8>,
    /// Number of writes acknowledged before it.
    pub acknowledged: usize,
}

/// Returns the states after a power loss just before each sync in `history`, of a disk
/// with `content`: once without all unsynced writes, and `times` with a part of them.
pub fn losses(
    mut content: Vec<u8>,
    history: Vec<Event>,
    times: usize,
    mut random: fastrand::Rng,
) -> impl Iterator<Item = Remains> {
    let mut history = VecDeque::from(history);
    let mut acknowledged = 0;
    let moments = std::iter::from_fn(move || {
        let mut unsynced = Vec::new();
        loop {
            match history.pop_front()? {
                Event::Synced => break,
                Event::SyncFailed(reached) => {
                    unsynced.clear();
                    apply(reached, &mut content);
                }
                Event::Acknowledged => acknowledged += 1,
                event => unsynced.push(event),
            }
        }
        let mut remains = vec![content.clone()];
        for _ in 0..times {
            let mut left = content.clone();
            apply(torn(&unsynced, &mut random), &mut left);
            remains.push(left);
        }
        apply(unsynced, &mut content);
        let acknowledged = acknowledged;
        Some(remains.into_iter().map(move |content| Remains {
            content,
            acknowledged,
        }))
    });
    moments.flatten()
}
