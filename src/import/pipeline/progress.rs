use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::summary::ImportSummary;
use crate::import::source_location::SourceLocation;

/// Tells how an import goes: by a bar on a terminal, by a line now and then
/// elsewhere.
pub struct Progress {
    sink: Sink,
    /// Files with how many bytes are in those before; where that is known.
    files: Vec<(Box<str>, u64)>,
    total: Option<u64>,
}

enum Sink {
    Bar(ProgressBar),
    Lines { told: Instant, began: Instant },
    Nobody,
}

impl Progress {
    pub(super) const EVERY: Duration = Duration::from_millis(250);
    const LINE_EVERY: Duration = Duration::from_secs(10);

    /// Of a source of these files with their sizes in bytes; none for a source
    /// whose size is not known.
    pub fn of(files: Vec<(Box<str>, u64)>) -> Self {
        let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        let total = (total > 0).then_some(total);
        let mut before = 0;
        let files = files.into_iter().map(|(file, bytes)| {
            let file = (file, before);
            before += bytes;
            file
        });
        let now = Instant::now();
        let sink = if std::io::stderr().is_terminal() {
            Sink::Bar(bar(total))
        } else {
            let (told, began) = (now, now);
            Sink::Lines { told, began }
        };
        Self {
            sink,
            files: files.collect(),
            total,
        }
    }

    /// That tells nobody.
    pub fn silent() -> Self {
        Self {
            sink: Sink::Nobody,
            files: Vec::new(),
            total: None,
        }
    }

    /// How far in bytes a place is.
    fn position(&self, place: &SourceLocation) -> Option<u64> {
        let named = |file: &str| {
            let of_file = self.files.iter().find(|(name, _)| **name == *file);
            of_file.map(|(_, before)| before + place.offset)
        };
        named(&place.file)
    }

    pub(super) fn tell(&mut self, ledger: &ImportSummary, last: Option<&SourceLocation>) {
        let position = last.and_then(|place| self.position(place));
        let total = self.total;
        match &mut self.sink {
            Sink::Nobody => {}
            Sink::Bar(bar) => {
                bar.set_message(counts(ledger));
                match position {
                    Some(position) => bar.set_position(position),
                    None => bar.tick(),
                }
            }
            Sink::Lines { told, began } => {
                if told.elapsed() < Self::LINE_EVERY {
                    return;
                }
                *told = Instant::now();
                let seconds = began.elapsed().as_secs().max(1);
                let rate = ledger.records() / seconds;
                let part = match (position, total) {
                    (Some(position), Some(total)) => {
                        format!(", {} %", position.saturating_mul(100) / total)
                    }
                    _ => String::new(),
                };
                eprintln!("{}, {rate} records a second{part}", counts(ledger));
            }
        }
    }

    pub(super) fn finish(self) {
        if let Sink::Bar(bar) = self.sink {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>) -> ProgressBar {
    // A template that is not one would be a fault of ours, and the bar then has
    // the crate's own.
    let style = |template| {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    };
    match total {
        Some(total) => ProgressBar::new(total).with_style(style(
            "{bar:30} {percent} % {bytes_per_sec}, {eta} left: {msg}",
        )),
        None => ProgressBar::new_spinner().with_style(style("{spinner} {elapsed}: {msg}")),
    }
}

fn counts(ledger: &ImportSummary) -> String {
    let readings = &ledger.readings;
    format!(
        "{} records, {} readings stored, {} held before, {} rejected",
        ledger.records(),
        readings.stored,
        readings.duplicate,
        readings.rejected
    )
}
