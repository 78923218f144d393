//! The XML of an Apple Health export: the input as the whole file, and as the content of
//! the root element.
#![no_main]

use std::io::Cursor;

use clarity_backend::import::RecordContent;
use clarity_backend::import::apple_health::{AppleHealth, ExportOptions};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(bytes.to_vec());
    read([b"<HealthData>", bytes, b"</HealthData>"].concat());
});

fn read(xml: Vec<u8>) {
    let now = Timestamp::from_second(1_717_243_200).expect("a valid time");
    let options = ExportOptions::new("jane".parse().expect("a valid user id"), now);
    let length = xml.len() as u64;
    let Ok(mut export) = AppleHealth::read("export.xml", Cursor::new(xml), Some(length), &options)
    else {
        return;
    };
    let mut last_offset = 0;
    while let Some(read) = export.next() {
        match read {
            Ok(record) => {
                assert!(last_offset <= record.location.offset && record.location.offset < length);
                last_offset = record.location.offset;
                if let RecordContent::Readings(readings) = record.content {
                    assert!(!readings.is_empty(), "every record has a result");
                }
            }
            Err(error) => {
                assert!(last_offset <= error.location.offset && error.location.offset <= length);
                assert!(export.next().is_none(), "nothing follows an error");
            }
        }
    }
}
