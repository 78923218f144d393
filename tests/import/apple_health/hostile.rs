//! Exports designed to exhaust memory or time.

use std::io::{self, BufReader, Read};

use clarity_backend::import::apple_health::AppleHealth;

use super::support::{Outcome, around, item, options, read};

/// Reader of a text followed by one byte repeated forever.
struct Endless(Vec<u8>, usize, u8);

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for byte in buffer.iter_mut() {
            *byte = self.0.get(self.1).copied().unwrap_or(self.2);
            self.1 += 1;
        }
        assert!(self.1 < 8 << 20, "reading does not stop");
        Ok(buffer.len())
    }
}

#[test]
fn buffering_is_bounded() {
    for (beginning, reason) in [
        ("", "no HealthData"),
        ("<!--", "no HealthData"),
        ("<!DOCTYPE HealthData [", "no HealthData"),
        ("<HealthData ", "longer"),
        ("<HealthData>", "longer"),
        ("<HealthData><Record value=\"", "longer"),
        ("<HealthData><Record>", "longer"),
        ("<HealthData><!--", "longer"),
        ("<HealthData><?", "longer"),
        ("<HealthData><![CDATA[", "longer"),
        ("<HealthData>&", "longer"),
        ("<HealthData></", "longer"),
        ("<HealthData><!DOCTYPE ", "longer"),
        ("<HealthData></HealthData>", "longer"),
    ] {
        let source = BufReader::new(Endless(beginning.as_bytes().to_vec(), 0, b'x'));
        let outcome = Outcome::from_export(AppleHealth::read("x", source, None, &options()));
        let found = outcome.reason();
        assert!(found.contains(reason), "{beginning}: {found}");
    }
}

#[test]
fn entities_are_never_expanded() {
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE HealthData [<!ENTITY a \"aaaaaaaaaa\">\
                <!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;\">]><HealthData><Record type=\"&b;\"/></HealthData>";
    assert!(read(bomb).reason().contains("entities"));
    let file = bomb.replace("\"aaaaaaaaaa\"", "SYSTEM \"file:///etc/passwd\"");
    assert!(read(file).reason().contains("entities"));
    let late = around("<!DOCTYPE x [<!ENTITY a \"b\">]>");
    assert!(read(late).reason().contains("too late"));
    let late = around("<Workout><!DOCTYPE x [<!ENTITY a \"b\">]></Workout>");
    assert!(read(late).reason().contains("too late"));
}

#[test]
fn nesting_depth_is_limited() {
    let deep = format!("<Workout>{}", "<a>".repeat(100_000));
    assert!(read(around(&deep)).reason().contains("deeper"));
    let deep = format!("<Record>{}{}</Record>", "<a>".repeat(31), "</a>".repeat(31));
    item(&deep);
}

#[test]
fn many_attributes_take_linear_time() {
    let attributes: String = (0..80_000)
        .map(|number| format!(" a{number}=\"\""))
        .collect();
    assert!(attributes.len() < 1 << 20);
    item(&format!("<Record{attributes}/>"));
}

#[test]
fn unclosed_tags_are_detected() {
    for elements in [
        "<Record type=\"a\"><Record/></Record>",
        "<Workout><Record/></Workout>",
        "<Correlation><Record/><Workout/></Correlation>",
        "<Correlation><Correlation><Record/></Correlation></Correlation>",
        "<Record value=\"1/>\n<Record value=\"2\"/>",
        "<Record value=\"1\"/\n<Record value=\"2\"/>",
        "<Workout>lost</Workout>",
        "<Record></Workout>",
        "</Record>",
    ] {
        let outcome = read(around(elements));
        assert!(outcome.error.is_some(), "{elements}");
    }
}

#[test]
fn other_encodings_are_rejected() {
    let mut xml = around("<Record sourceName=\"?\"/>").into_bytes();
    let at = xml.iter().rposition(|byte| *byte == b'?').unwrap();
    xml[at] = 0xE9;
    let outcome = read(xml);
    assert!(outcome.reason().contains("UTF-8"), "{}", outcome.reason());
    let latin = around("").replace("UTF-8", "ISO-8859-1");
    assert!(read(latin).reason().contains("UTF-8"));
    let wide: Vec<u8> = around("")
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    assert!(
        read([vec![0xFE, 0xFF], wide].concat())
            .reason()
            .contains("UTF-8")
    );
    let marked = [vec![0xEF, 0xBB, 0xBF], around("").into_bytes()].concat();
    assert_eq!(read(marked).error, None);
}

#[test]
fn content_after_the_root_is_rejected() {
    assert!(
        read(around("") + "<Record/>")
            .reason()
            .contains("after its root")
    );
    assert!(read(around("") + "text").reason().contains("outside"));
    assert_eq!(read(around("") + "<!-- end -->\n").error, None);
    assert_eq!(read("<HealthData/>").error, None);
}
