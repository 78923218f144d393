use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use tokio::time::Instant;

use super::summary::ImportSummary;
use crate::import::source_location::SourceLocation;

/// Progress display of an import: a bar on a terminal, otherwise a line every
/// ten seconds.
pub struct ImportProgress {
    display: Display,
    /// Files with the number of bytes in the files before.
    files: Vec<(Box<str>, u64)>,
    total_bytes: Option<u64>,
}

enum Display {
    Bar(ProgressBar),
    Lines {
        last_printed: Instant,
        started: Instant,
    },
}

impl ImportProgress {
    pub(super) const UPDATE_INTERVAL: Duration = Duration::from_millis(250);
    const LINE_INTERVAL: Duration = Duration::from_secs(10);

    /// Returns the progress of a source with these files and their sizes in
    /// bytes; none for a source of unknown size.
    pub fn new(files: Vec<(Box<str>, u64)>) -> Self {
        let total_bytes: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        let total_bytes = (total_bytes > 0).then_some(total_bytes);
        let mut before = 0;
        let files = files.into_iter().map(|(file, bytes)| {
            let file = (file, before);
            before += bytes;
            file
        });
        let now = Instant::now();
        let display = if std::io::stderr().is_terminal() {
            Display::Bar(bar(total_bytes))
        } else {
            Display::Lines {
                last_printed: now,
                started: now,
            }
        };
        Self {
            display,
            files: files.collect(),
            total_bytes,
        }
    }

    /// Returns the bytes of the source before a location.
    fn position(&self, location: &SourceLocation) -> Option<u64> {
        let file = self.files.iter().find(|(name, _)| **name == *location.file);
        file.map(|(_, before)| before + location.offset)
    }

    pub(super) fn update(&mut self, summary: &ImportSummary, last: Option<&SourceLocation>) {
        let position = last.and_then(|location| self.position(location));
        let total_bytes = self.total_bytes;
        match &mut self.display {
            Display::Bar(bar) => {
                bar.set_message(counts(summary));
                match position {
                    Some(position) => bar.set_position(position),
                    None => bar.tick(),
                }
            }
            Display::Lines {
                last_printed,
                started,
            } => {
                if last_printed.elapsed() < Self::LINE_INTERVAL {
                    return;
                }
                *last_printed = Instant::now();
                let seconds = started.elapsed().as_secs().max(1);
                let rate = summary.records() / seconds;
                let percentage = match (position, total_bytes) {
                    (Some(position), Some(total)) => {
                        format!(", {} %", position.saturating_mul(100) / total)
                    }
                    _ => String::new(),
                };
                eprintln!("{}, {rate} records/s{percentage}", counts(summary));
            }
        }
    }

    pub(super) fn finish(self) {
        if let Display::Bar(bar) = self.display {
            bar.finish_and_clear();
        }
    }
}

fn bar(total_bytes: Option<u64>) -> ProgressBar {
    // An invalid template would be a bug; the default bar stands in for it.
    let style = |template| {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
    };
    match total_bytes {
        Some(total) => ProgressBar::new(total).with_style(style(
            "{bar:30} {percent} % {bytes_per_sec}, {eta} left: {msg}",
        )),
        None => ProgressBar::new_spinner().with_style(style("{spinner} {elapsed}: {msg}")),
    }
}

fn counts(summary: &ImportSummary) -> String {
    let readings = &summary.readings;
    format!(
        "{} records, {} readings stored, {} duplicate, {} rejected",
        summary.records(),
        readings.stored,
        readings.duplicate,
        readings.rejected
    )
}
