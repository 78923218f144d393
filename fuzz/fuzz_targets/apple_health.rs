//! The XML of an export of Apple Health, and what stands in one.
#![no_main]

use std::io::Cursor;

use clarity_backend::import::Content;
use clarity_backend::import::apple_health::{AppleHealth, ExportOptions};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read(bytes.to_vec());
    read([b"<HealthData>", bytes, b"</HealthData>"].concat());
});

fn read(xml: Vec<u8>) {
    let now = Timestamp::from_second(1_717_243_200).expect("a time");
    let options = ExportOptions::all("jane".parse().expect("a user"), now);
    let length = xml.len() as u64;
    let Ok(mut export) = AppleHealth::read("export.xml", Cursor::new(xml), Some(length), &options)
    else {
        return;
    };
    let mut last = 0;
    while let Some(found) = export.next() {
        match found {
            Ok(record) => {
                assert!(last <= record.place.offset && record.place.offset < length);
                last = record.place.offset;
                if let Content::Readings(readings) = record.content {
                    assert!(!readings.is_empty(), "a record that is told of in no way");
                }
            }
            Err(damage) => {
                assert!(last <= damage.place.offset && damage.place.offset <= length);
                assert!(export.next().is_none(), "it goes on behind damage");
            }
        }
    }
}
