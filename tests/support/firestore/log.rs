//! Writes `LevelDB`'s log format.

const BLOCK: usize = 32 * 1024;
const HEADER: usize = 7;

/// Encodes records as a file.
pub fn log(records: &[Vec<u8>]) -> Vec<u8> {
    let mut file = Vec::new();
    for record in records {
        append(&mut file, record);
    }
    file
}

/// Fills the last block with zeros.
pub fn padded(mut file: Vec<u8>) -> Vec<u8> {
    file.resize(file.len().next_multiple_of(BLOCK), 0);
    file
}

fn append(file: &mut Vec<u8>, record: &[u8]) {
    let mut rest = record;
    let mut is_first = true;
    loop {
        let mut left = BLOCK - file.len() % BLOCK;
        if left < HEADER {
            file.resize(file.len() + left, 0);
            left = BLOCK;
        }
        let (data, next) = rest.split_at(rest.len().min(left - HEADER));
        let kind = match (is_first, next.is_empty()) {
            (true, true) => 1,
            (true, false) => 2,
            (false, false) => 3,
            (false, true) => 4,
        };
        file.extend(fragment(kind, data));
        if next.is_empty() {
            return;
        }
        (rest, is_first) = (next, false);
    }
}

/// Encodes a fragment with its checksum.
pub fn fragment(kind: u8, data: &[u8]) -> Vec<u8> {
    let mut checked = vec![kind];
    checked.extend_from_slice(data);
    let checksum = crc32c::crc32c(&checked);
    let masked = checksum.rotate_right(15).wrapping_add(0xa282_ead8);
    let length = u16::try_from(data.len()).unwrap();
    [&masked.to_le_bytes()[..], &length.to_le_bytes(), &checked].concat()
}
