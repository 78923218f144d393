//! Kinds of measured requests, and the bounds they are compared with.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use crate::floor::Call;

/// A kind of request.
pub struct Kind {
    pub name: &'static str,
    pub path: &'static str,
    /// Number of readings per body, if it is posted.
    pub readings: usize,
    pub connections: usize,
    /// Divisor of the configured number of requests.
    pub fewer: usize,
    pub floor: Floor,
    /// Required ratio to the floor.
    pub wanted: Option<f64>,
}

/// Lower bound of the cost.
#[derive(Clone, Copy)]
pub enum Floor {
    /// A bare loop on the SDK.
    Loop(Call),
    /// A minimal HTTP service.
    Hello,
    None,
}

pub const KINDS: [Kind; 6] = [
    Kind {
        name: "POST one reading, 16 connections",
        path: "/api/v1/data",
        readings: 1,
        connections: 16,
        fewer: 1,
        floor: Floor::Loop(Call::Put),
        wanted: Some(1.0),
    },
    Kind {
        name: "POST one reading, 1 connection",
        path: "/api/v1/data",
        readings: 1,
        connections: 1,
        fewer: 4,
        floor: Floor::Loop(Call::Put),
        wanted: Some(1.6),
    },
    Kind {
        name: "GET 50 readings, 16 connections",
        path: "/api/v1/data/user123?limit=50",
        readings: 0,
        connections: 16,
        fewer: 2,
        floor: Floor::Loop(Call::Query),
        wanted: Some(1.25),
    },
    Kind {
        name: "GET /health, 16 connections",
        path: "/health",
        readings: 0,
        connections: 16,
        fewer: 1,
        floor: Floor::Hello,
        wanted: Some(1.3),
    },
    Kind {
        name: "POST batch of 1,000, 4 connections",
        path: "/api/v1/data/batch",
        readings: 1000,
        connections: 4,
        fewer: 100,
        floor: Floor::None,
        wanted: None,
    },
    Kind {
        name: "POST one reading, 64 connections",
        path: "/api/v1/data",
        readings: 1,
        connections: 64,
        fewer: 1,
        floor: Floor::None,
        wanted: None,
    },
];

/// Number of readings in a file of bodies.
const READINGS: usize = 20_000;

/// Writes a file with bodies of `readings` distinct readings each.
pub fn write_bodies(directory: &Path, readings: usize) -> PathBuf {
    let path = directory.join(format!("{readings}.ndjson"));
    let mut file = BufWriter::new(File::create(&path).unwrap());
    let all: Vec<String> = (0..READINGS).map(reading).collect();
    for some in all.chunks(readings) {
        match some {
            [one] => writeln!(file, "{one}").unwrap(),
            many => writeln!(file, r#"{{"readings":[{}]}}"#, many.join(",")).unwrap(),
        }
    }
    path
}

fn reading(number: usize) -> String {
    let (minute, second, milli) = (number / 60_000 % 60, number / 1000 % 60, number % 1000);
    format!(
        r#"{{"user_id":"user123","data_type":"heart_rate","value":72,"timestamp":"2024-01-15T10:{minute:02}:{second:02}.{milli:03}Z","metadata":{{"device":"watch"}}}}"#
    )
}
