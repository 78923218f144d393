//! Writes the folder of a managed export.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::entity::{Message, entity};
use super::log::{fragment, log, padded};

const PART: &str = "all_namespaces/all_kinds";
const METADATA: &str = "all_namespaces_all_kinds.export_metadata";
const OVERALL: &str = "firestore_export.overall_export_metadata";

/// Builder of a managed export.
#[derive(Default)]
pub struct ExportFixture {
    /// Records of `output-0`, `output-1`, …
    files: Vec<Vec<Vec<u8>>>,
    /// Number of documents in the metadata, if not the actual number.
    claimed: Option<u64>,
}

impl ExportFixture {
    pub fn new() -> Self {
        Self {
            files: vec![Vec::new()],
            claimed: None,
        }
    }

    /// Adds a document to the current file.
    pub fn document(mut self, path: &str, fields: &Value) -> Self {
        self.files.last_mut().unwrap().push(entity(path, fields));
        self
    }

    /// Starts another file.
    pub fn next_file(mut self) -> Self {
        self.files.push(Vec::new());
        self
    }

    /// Sets the number of documents that the metadata states.
    pub fn claiming(mut self, documents: u64) -> Self {
        self.claimed = Some(documents);
        self
    }

    /// Writes the export into an existing folder.
    pub fn write_to(&self, folder: &Path) {
        let part = folder.join(PART);
        fs::create_dir_all(&part).unwrap();
        let mut kind = Message::default().bytes(1, b"");
        for (index, records) in self.files.iter().enumerate() {
            let mut file = log(records);
            // Firestore pads some files; an empty one stays empty.
            if index % 2 == 1 {
                file = padded(file);
            }
            fs::write(Self::output(folder, index), file).unwrap();
            kind = kind.bytes(2, format!("output-{index}").as_bytes());
        }
        let span = Message::default().bytes(1, b"firestore_export");
        let metadata = Message::default().bytes(1, &span.0).bytes(2, &kind.0);
        fs::write(part.join(METADATA), metadata.0).unwrap();
        fs::write(folder.join(OVERALL), self.overall()).unwrap();
    }

    fn overall(&self) -> Vec<u8> {
        let count: usize = self.files.iter().map(Vec::len).sum();
        let count = self.claimed.unwrap_or(u64::try_from(count).unwrap());
        let version = Message::default().varint(1, 2).varint(3, 3);
        let part = Message::default()
            .bytes(1, &version.0)
            .bytes(2, format!("{PART}/{METADATA}").as_bytes())
            .varint(3, count);
        let parts = Message::default().bytes(1, &part.0);
        [fragment(1, b"\x33"), fragment(1, &parts.0)].concat()
    }

    /// Returns the path of a file of documents.
    pub fn output(folder: &Path, index: usize) -> PathBuf {
        folder.join(PART).join(format!("output-{index}"))
    }
}
