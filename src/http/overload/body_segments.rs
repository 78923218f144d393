use lz4_flex::block::{compress, decompress};

/// Size of a segment, small enough to be compressed without delaying others.
pub const SEGMENT_BYTES: usize = 64 * 1024;

/// Segments after which the rest of a body is expected to compress like them.
const SAMPLE_SEGMENTS: usize = 4;

/// Bytes of a body that is arriving.
///
/// A phone takes many seconds to send what takes a fraction of one to store, so most
/// of the memory for uploads is held by bodies that wait for their rest. While it is
/// short, they wait compressed, at about 2 ms of CPU for a megabyte: readings as JSON
/// shrink to a fifth or less.
pub struct BodySegments {
    sealed: Vec<Segment>,
    open: Vec<u8>,
    /// Bytes of the body so far.
    length: usize,
    /// Bytes of memory in sealed segments.
    held: usize,
}

enum Segment {
    Plain(Vec<u8>),
    Compressed { bytes: Vec<u8>, length: usize },
}

impl BodySegments {
    /// Creates a body of which `announced` bytes are to come.
    pub fn new(announced: usize) -> Self {
        Self {
            sealed: Vec::new(),
            open: Vec::with_capacity(announced.min(SEGMENT_BYTES)),
            length: 0,
            held: 0,
        }
    }

    /// Returns the bytes of the body so far.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Adds a part of the body. Returns true if it completed a segment. Segments are
    /// compressed while `is_short`.
    pub fn push(&mut self, mut part: &[u8], is_short: impl Fn() -> bool) -> bool {
        let sealed = self.sealed.len();
        self.length += part.len();
        loop {
            let (fitting, rest) = part.split_at(part.len().min(SEGMENT_BYTES - self.open.len()));
            self.open.extend_from_slice(fitting);
            if rest.is_empty() {
                return self.sealed.len() > sealed;
            }
            let open = std::mem::replace(&mut self.open, Vec::with_capacity(SEGMENT_BYTES));
            self.seal(open, is_short());
            part = rest;
        }
    }

    fn seal(&mut self, bytes: Vec<u8>, is_short: bool) {
        let length = bytes.len();
        let compressed = is_short.then(|| compress(&bytes));
        let smaller = compressed.filter(|compressed| compressed.len() < length);
        let (segment, held) = match smaller {
            Some(mut bytes) => {
                bytes.shrink_to_fit();
                let held = bytes.len();
                (Segment::Compressed { bytes, length }, held)
            }
            None => (Segment::Plain(bytes), length),
        };
        self.held += held;
        self.sealed.push(segment);
    }

    /// Returns the bytes of memory that the body is expected to take until it is
    /// complete, if it has `announced` bytes.
    pub fn expected_bytes(&self, announced: usize) -> usize {
        let sealed = self.length - self.open.len();
        let missing = announced.saturating_sub(sealed);
        let rest = if self.sealed.len() < SAMPLE_SEGMENTS {
            missing
        } else {
            // A quarter more than the sample, and the open segment.
            let sampled = missing * self.held / sealed * 5 / 4;
            (sampled + SEGMENT_BYTES).min(missing)
        };
        self.held + rest
    }

    /// Returns the body in one piece.
    pub fn into_bytes(self) -> Vec<u8> {
        if self.sealed.is_empty() {
            return self.open;
        }
        let mut body = Vec::with_capacity(self.length);
        for segment in self.sealed {
            match segment {
                Segment::Plain(bytes) => body.extend_from_slice(&bytes),
                // Cannot fail, as it was compressed here.
                Segment::Compressed { bytes, length } => {
                    body.extend(decompress(&bytes, length).unwrap_or_default());
                }
            }
        }
        body.extend_from_slice(&self.open);
        body
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn body_is_returned_as_it_came(
            parts in prop::collection::vec((0_usize..100_000, any::<bool>(), any::<bool>()), 0..12),
        ) {
            let mut segments = BodySegments::new(300_000);
            let mut body = Vec::new();
            let mut noise = 1_u32;
            for (length, is_random, is_short) in parts {
                let part: Vec<u8> = (0..length)
                    .map(|_| {
                        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        if is_random { (noise >> 24) as u8 } else { b'x' }
                    })
                    .collect();
                segments.push(&part, || is_short);
                body.extend(part);
            }
            prop_assert_eq!(segments.length(), body.len());
            prop_assert!(segments.expected_bytes(body.len()) <= body.len());
            prop_assert_eq!(segments.into_bytes(), body);
        }
    }

    #[test]
    fn compressible_body_is_expected_to_take_a_fraction() {
        let announced = 8 * 1024 * 1024;
        let mut segments = BodySegments::new(announced);
        assert_eq!(segments.expected_bytes(announced), announced);
        segments.push(&[b' '; 5 * SEGMENT_BYTES + 1], || true);
        assert!(segments.expected_bytes(announced) < announced / 10);
    }
}
