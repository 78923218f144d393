use std::io::{self, BufReader, Read};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::error::ExportError;
use super::options::ExportLimits;

/// What a `.zip` says of a file in it.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Bytes that it takes in the archive.
    pub compressed: u64,
    /// Bytes that it has.
    pub expanded: u64,
    /// CRC-32 of them.
    pub crc: u32,
}

/// A file in a `.zip` as it was before it was put there.
///
/// Its end is only given out when its length and its checksum are what the
/// archive says.
pub struct DecompressedEntry<R: Read> {
    source: Compressed<R>,
    sizes: Sizes,
    limits: ExportLimits,
    given: u64,
    crc: Crc,
}

enum Compressed<R: Read> {
    Stored(io::Take<R>),
    Deflated(Box<DeflateDecoder<BufReader<io::Take<R>>>>),
}

impl<R: Read> DecompressedEntry<R> {
    /// The file whose bytes in the archive are the next of `source`.
    pub fn new(source: R, is_deflated: bool, sizes: Sizes, limits: ExportLimits) -> Self {
        let source = source.take(sizes.compressed);
        Self {
            source: if is_deflated {
                let source = BufReader::with_capacity(1 << 16, source);
                Compressed::Deflated(Box::new(DeflateDecoder::new(source)))
            } else {
                Compressed::Stored(source)
            },
            sizes,
            limits,
            given: 0,
            crc: Crc::new(),
        }
    }

    /// Whether what was given out is as much as may be.
    fn check(&self) -> Result<(), ExportError> {
        let Sizes {
            compressed,
            expanded,
            ..
        } = self.sizes;
        if self.given > expanded {
            return Err(ExportError("expands to more than the archive says"));
        }
        if self.given > self.limits.expanded {
            return Err(ExportError("expands to more than the limit"));
        }
        if self.given
            > compressed
                .saturating_mul(self.limits.ratio)
                .max(self.limits.ratio_exempt_bytes)
        {
            return Err(ExportError(
                "expands to more than an export would: a zip bomb",
            ));
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), ExportError> {
        if self.given != self.sizes.expanded {
            return Err(ExportError(
                "is shorter than the archive says: it was cut off",
            ));
        }
        if self.crc.sum() != self.sizes.crc {
            return Err(ExportError(
                "does not have the checksum that the archive says",
            ));
        }
        Ok(())
    }
}

impl<R: Read> Read for DecompressedEntry<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.source {
            Compressed::Stored(source) => source.read(buffer)?,
            Compressed::Deflated(source) => source.read(buffer).map_err(damaged)?,
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        self.given = self.given.saturating_add(bytes.len() as u64);
        self.crc.update(bytes);
        self.check()?;
        if count == 0 && !buffer.is_empty() {
            self.check_end()?;
        }
        Ok(count)
    }
}

/// What the decoder says of bytes that it cannot expand, in our words.
fn damaged(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            ExportError("its compressed bytes are damaged").into()
        }
        io::ErrorKind::UnexpectedEof => ExportError("its compressed bytes are cut off").into(),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::DeflateEncoder;

    use super::*;

    fn deflate(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn sizes(compressed: &[u8], expanded: &[u8]) -> Sizes {
        let mut crc = Crc::new();
        crc.update(expanded);
        Sizes {
            compressed: compressed.len() as u64,
            expanded: expanded.len() as u64,
            crc: crc.sum(),
        }
    }

    fn expand(compressed: &[u8], sizes: Sizes, limits: ExportLimits) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        DecompressedEntry::new(compressed, true, sizes, limits)
            .read_to_end(&mut all)
            .map_err(|error| error.to_string())?;
        Ok(all)
    }

    #[test]
    fn gives_what_was_compressed() {
        let bytes = b"12345 12345 12345".repeat(1000);
        let compressed = deflate(&bytes);
        let sizes = sizes(&compressed, &bytes);
        let all = expand(&compressed, sizes, ExportLimits::default()).unwrap();
        assert!(all == bytes);
    }

    #[test]
    fn says_what_is_wrong_with_the_bytes() {
        let bytes: Vec<u8> = (0..5000_u32).flat_map(u32::to_be_bytes).collect();
        let compressed = deflate(&bytes);
        let good = sizes(&compressed, &bytes);
        let refused = |sizes, limits| expand(&compressed, sizes, limits).unwrap_err();
        let wrong = Sizes { crc: 1, ..good };
        assert!(refused(wrong, ExportLimits::default()).contains("checksum"));
        let wrong = Sizes {
            expanded: 10,
            ..good
        };
        assert!(refused(wrong, ExportLimits::default()).contains("more than the archive says"));
        let wrong = Sizes {
            expanded: good.expanded + 1,
            ..good
        };
        assert!(refused(wrong, ExportLimits::default()).contains("cut off"));
        let wrong = Sizes {
            compressed: good.compressed / 2,
            ..good
        };
        assert!(refused(wrong, ExportLimits::default()).contains("cut off"));
        let small = ExportLimits {
            expanded: 1000,
            ..ExportLimits::default()
        };
        assert!(refused(good, small).contains("the limit"));
    }

    #[test]
    fn a_bomb_is_let_go_off_no_further_than_the_ratio() {
        let bytes = vec![b' '; 1 << 20];
        let compressed = deflate(&bytes);
        let sizes = sizes(&compressed, &bytes);
        let limits = ExportLimits {
            ratio_exempt_bytes: 1 << 16,
            ..ExportLimits::default()
        };
        let mut expanded = DecompressedEntry::new(&*compressed, true, sizes, limits);
        let mut given = 0;
        let mut buffer = vec![0; 1 << 12];
        let error = loop {
            match expanded.read(&mut buffer) {
                Ok(count) => given += count as u64,
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("bomb"), "{error}");
        let most = (sizes.compressed * limits.ratio).max(limits.ratio_exempt_bytes);
        assert!(given <= most && most < bytes.len() as u64);
    }
}
