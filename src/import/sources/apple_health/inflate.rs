use std::io::{self, BufReader, Read};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::error::ExportError;
use super::options::ExportLimits;

/// Sizes and checksum of a file, as its ZIP archive declares them.
#[derive(Debug, Clone, Copy)]
pub struct DeclaredSizes {
    /// Size in the archive in bytes.
    pub compressed: u64,
    /// Size of the extracted file in bytes.
    pub expanded: u64,
    /// CRC-32 of the extracted file.
    pub crc: u32,
}

/// Reader of an extracted file.
///
/// It reaches its end only if the length and the checksum match those that the
/// archive declares.
pub struct DecompressedEntry<R: Read> {
    source: EntryReader<R>,
    sizes: DeclaredSizes,
    limits: ExportLimits,
    bytes_out: u64,
    crc: Crc,
}

enum EntryReader<R: Read> {
    Stored(io::Take<R>),
    Deflated(Box<DeflateDecoder<BufReader<io::Take<R>>>>),
}

impl<R: Read> DecompressedEntry<R> {
    /// Returns the file whose data in the archive is next in `source`.
    pub fn new(source: R, is_deflated: bool, sizes: DeclaredSizes, limits: ExportLimits) -> Self {
        let source = source.take(sizes.compressed);
        Self {
            source: if is_deflated {
                let source = BufReader::with_capacity(1 << 16, source);
                EntryReader::Deflated(Box::new(DeflateDecoder::new(source)))
            } else {
                EntryReader::Stored(source)
            },
            sizes,
            limits,
            bytes_out: 0,
            crc: Crc::new(),
        }
    }

    /// Checks the bytes returned so far against the limits.
    fn check(&self) -> Result<(), ExportError> {
        let DeclaredSizes {
            compressed,
            expanded,
            ..
        } = self.sizes;
        if self.bytes_out > expanded {
            return Err(ExportError("expands to more than the archive declares"));
        }
        if self.bytes_out > self.limits.expanded {
            return Err(ExportError("expands to more than the limit"));
        }
        if self.bytes_out
            > compressed
                .saturating_mul(self.limits.ratio)
                .max(self.limits.ratio_exempt_bytes)
        {
            return Err(ExportError("expands more than any export: a zip bomb"));
        }
        Ok(())
    }

    fn check_end(&self) -> Result<(), ExportError> {
        if self.bytes_out != self.sizes.expanded {
            return Err(ExportError(
                "is shorter than the archive declares: it is truncated",
            ));
        }
        if self.crc.sum() != self.sizes.crc {
            return Err(ExportError(
                "does not match the checksum that the archive declares",
            ));
        }
        Ok(())
    }
}

impl<R: Read> Read for DecompressedEntry<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = match &mut self.source {
            EntryReader::Stored(source) => source.read(buffer)?,
            EntryReader::Deflated(source) => source.read(buffer).map_err(sanitize)?,
        };
        let bytes = buffer.get(..count).unwrap_or_default();
        self.bytes_out = self.bytes_out.saturating_add(bytes.len() as u64);
        self.crc.update(bytes);
        self.check()?;
        if count == 0 && !buffer.is_empty() {
            self.check_end()?;
        }
        Ok(count)
    }
}

/// Replaces the decoder's error for invalid data by a description.
fn sanitize(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
            ExportError("its compressed data is corrupt").into()
        }
        io::ErrorKind::UnexpectedEof => ExportError("its compressed data is truncated").into(),
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

    fn sizes(compressed: &[u8], expanded: &[u8]) -> DeclaredSizes {
        let mut crc = Crc::new();
        crc.update(expanded);
        DeclaredSizes {
            compressed: compressed.len() as u64,
            expanded: expanded.len() as u64,
            crc: crc.sum(),
        }
    }

    fn expand(
        compressed: &[u8],
        sizes: DeclaredSizes,
        limits: ExportLimits,
    ) -> Result<Vec<u8>, String> {
        let mut all = Vec::new();
        DecompressedEntry::new(compressed, true, sizes, limits)
            .read_to_end(&mut all)
            .map_err(|error| error.to_string())?;
        Ok(all)
    }

    #[test]
    fn inflated_bytes_equal_the_original() {
        let bytes = b"12345 12345 12345".repeat(1000);
        let compressed = deflate(&bytes);
        let sizes = sizes(&compressed, &bytes);
        let all = expand(&compressed, sizes, ExportLimits::default()).unwrap();
        assert!(all == bytes);
    }

    #[test]
    fn invalid_data_is_rejected_with_its_cause() {
        let bytes: Vec<u8> = (0..5000_u32).flat_map(u32::to_be_bytes).collect();
        let compressed = deflate(&bytes);
        let good = sizes(&compressed, &bytes);
        let error = |sizes, limits| expand(&compressed, sizes, limits).unwrap_err();
        let wrong = DeclaredSizes { crc: 1, ..good };
        assert!(error(wrong, ExportLimits::default()).contains("checksum"));
        let wrong = DeclaredSizes {
            expanded: 10,
            ..good
        };
        assert!(error(wrong, ExportLimits::default()).contains("more than the archive declares"));
        let wrong = DeclaredSizes {
            expanded: good.expanded + 1,
            ..good
        };
        assert!(error(wrong, ExportLimits::default()).contains("truncated"));
        let wrong = DeclaredSizes {
            compressed: good.compressed / 2,
            ..good
        };
        assert!(error(wrong, ExportLimits::default()).contains("truncated"));
        let small = ExportLimits {
            expanded: 1000,
            ..ExportLimits::default()
        };
        assert!(error(good, small).contains("the limit"));
    }

    #[test]
    fn zip_bomb_is_stopped_at_the_ratio() {
        let bytes = vec![b' '; 1 << 20];
        let compressed = deflate(&bytes);
        let sizes = sizes(&compressed, &bytes);
        let limits = ExportLimits {
            ratio_exempt_bytes: 1 << 16,
            ..ExportLimits::default()
        };
        let mut expanded = DecompressedEntry::new(&*compressed, true, sizes, limits);
        let mut bytes_out = 0;
        let mut buffer = vec![0; 1 << 12];
        let error = loop {
            match expanded.read(&mut buffer) {
                Ok(count) => bytes_out += count as u64,
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("bomb"), "{error}");
        let max = (sizes.compressed * limits.ratio).max(limits.ratio_exempt_bytes);
        assert!(bytes_out <= max && max < bytes.len() as u64);
    }
}
