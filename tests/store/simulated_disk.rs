//! A disk in memory that can be full, fail, and lose its power.

use std::collections::VecDeque;
use std::io::{ErrorKind, Result};
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

/// What the sectors of a disk hold: each is written whole or not at all.
const SECTOR: usize = 512;

/// The disk; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    content: Vec<u8>,
    /// What was done to it, in order, if that is noted.
    history: Option<Vec<Event>>,
    fault: Fault,
}

/// What is wrong with it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    #[default]
    None,
    /// It has no more room than it holds now.
    Full,
    /// Nothing can be written.
    Writes,
    /// Nothing is sure to be on it.
    Syncs,
    /// Nothing can be read.
    Reads,
}

/// What was done to a disk.
#[derive(Debug, Clone)]
pub enum Event {
    Write {
        offset: usize,
        data: Vec<u8>,
    },
    Resized(usize),
    Synced,
    /// The caller was told that its write is safe.
    Acknowledged,
}

impl Disk {
    /// One that holds this.
    pub fn holding(content: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.0.lock().unwrap().content = content;
        disk
    }

    /// From now on notes what is done to it.
    pub fn note(&self, event: Option<Event>) {
        let history = &mut self.0.lock().unwrap().history;
        history.get_or_insert_default().extend(event);
    }

    /// What was done to it since that is noted.
    pub fn history(&self) -> Vec<Event> {
        self.0.lock().unwrap().history.take().unwrap()
    }

    pub fn content(&self) -> Vec<u8> {
        self.0.lock().unwrap().content.clone()
    }

    /// Breaks it, or mends it.
    pub fn set_fault(&self, fault: Fault) {
        self.0.lock().unwrap().fault = fault;
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
        if let Some(history) = &mut self.history {
            history.push(event);
        }
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
            Self::Synced | Self::Acknowledged => {}
        }
    }

    /// What a loss of power leaves of it, sector by sector.
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
        Ok(self.0.lock().unwrap().content.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> Result<()> {
        let state = self.0.lock().unwrap();
        state.fails(Fault::Reads, ErrorKind::Other)?;
        let start = usize::try_from(offset).unwrap();
        let found = state.content.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, length: u64) -> Result<()> {
        let mut state = self.0.lock().unwrap();
        let length = usize::try_from(length).unwrap();
        if length > state.content.len() {
            state.fails(Fault::Full, ErrorKind::StorageFull)?;
        }
        state.fails(Fault::Writes, ErrorKind::Other)?;
        state.does(Event::Resized(length));
        Ok(())
    }

    fn sync_data(&self) -> Result<()> {
        let mut state = self.0.lock().unwrap();
        state.fails(Fault::Syncs, ErrorKind::Other)?;
        state.does(Event::Synced);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> Result<()> {
        let mut state = self.0.lock().unwrap();
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

/// What a loss of power leaves at some moment.
pub struct Remains {
    pub content: Vec<u8>,
    /// How many writes were acknowledged by then.
    pub acknowledged: usize,
}

/// What a loss of power leaves just before each sync in `history` of a disk
/// that held `content`: once without all that was not synced, and `times` with
/// a part of it.
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
                Event::Acknowledged => acknowledged += 1,
                event => unsynced.push(event),
            }
        }
        let mut remains = vec![content.clone()];
        for _ in 0..times {
            let mut left = content.clone();
            let torn = unsynced
                .iter()
                .flat_map(|event| event.clone().torn(&mut random));
            torn.collect::<Vec<_>>()
                .into_iter()
                .for_each(|event| event.apply(&mut left));
            remains.push(left);
        }
        for event in unsynced {
            event.apply(&mut content);
        }
        let acknowledged = acknowledged;
        Some(remains.into_iter().map(move |content| Remains {
            content,
            acknowledged,
        }))
    });
    moments.flatten()
}
