//! Conversion of each kind of element.

use clarity_backend::domain::Reading;
use serde_json::{Value, json};

use super::support::{Item, around, export, item, read};

fn record(attributes: &str) -> String {
    format!(
        "<Record sourceName=\"Scale\" startDate=\"2023-01-05 07:30:00 +0100\" \
         endDate=\"2023-01-05 07:30:00 +0100\" {attributes}/>"
    )
}

fn readings(element: &str) -> Vec<Reading> {
    match item(element) {
        Item::Readings(readings) => readings,
        other => panic!("{other:?}"),
    }
}

fn rejection(element: &str) -> String {
    match item(element) {
        Item::Rejected(reason) => reason,
        other => panic!("{other:?}"),
    }
}

fn shown(reading: &Reading) -> Value {
    let reading = &reading.measurement;
    assert_eq!(reading.user_id.as_str(), "jane");
    json!([
        reading.data_type.as_str(),
        reading.value.get(),
        reading.unit.as_ref().map(|unit| unit.as_str()),
        reading.timestamp.to_string(),
        serde_json::from_str::<Value>(reading.metadata.as_str()).unwrap(),
    ])
}

#[test]
fn record_becomes_a_reading_with_source_and_device() {
    let all = readings(
        "<Record type=\"HKQuantityTypeIdentifierStepCount\" sourceName=\"J&#228;ne&apos;s Watch\" \
         sourceVersion=\"10.1\" device=\"&lt;&lt;HKDevice: 0x283a5b4c0&gt;, name:Apple Watch, \
         hardware:Watch6,2&gt;\" unit=\"count\" creationDate=\"2023-01-05 08:00:00 +0100\" \
         startDate=\"2023-01-05 07:20:00 +0100\" endDate=\"2023-01-05 07:30:00 +0100\" value=\"329\">\
         <MetadataEntry key=\"HKWasUserEntered\" value=\"0\"/></Record>",
    );
    assert_eq!(
        shown(&all[0]),
        json!(["steps", 329.0, "{steps}", "2023-01-05T07:30:00+01:00", {
            "source": "Jäne's Watch", "source_version": "10.1",
            "device": {"name": "Apple Watch", "hardware": "Watch6,2"},
            "start": "2023-01-05T07:20:00+01:00",
            "healthkit": {"HKWasUserEntered": "0"},
        }])
    );
    assert_eq!(all.len(), 1);
}

#[test]
fn units_are_converted_to_the_vocabulary() {
    let all = readings(&record(
        "type=\"HKQuantityTypeIdentifierOxygenSaturation\" unit=\"%\" value=\"0.97\"",
    ));
    let expected =
        json!(["blood_oxygen", 97.0, "%", "2023-01-05T07:30:00+01:00", {"source": "Scale"}]);
    assert_eq!(shown(&all[0]), expected);
}

#[test]
fn unknown_quantities_are_preserved() {
    let all = readings(&record(
        "type=\"HKQuantityTypeIdentifierDietaryProtein\" unit=\"g\" value=\"31.5\"",
    ));
    let metadata =
        json!({"source": "Scale", "healthkit_type": "HKQuantityTypeIdentifierDietaryProtein"});
    let expected = json!([
        "dietary_protein",
        31.5,
        "g",
        "2023-01-05T07:30:00+01:00",
        metadata
    ]);
    assert_eq!(shown(&all[0]), expected);
    let all = readings(&record(
        "type=\"HKQuantityTypeIdentifierNewThing\" unit=\"m·s²\" value=\"1\"",
    ));
    assert_eq!(shown(&all[0])[2], Value::Null);
    assert_eq!(shown(&all[0])[4]["unit"], "m·s²");
}

#[test]
fn sleep_becomes_durations() {
    let sleep = |state: &str| {
        let all = readings(&format!(
            "<Record type=\"HKCategoryTypeIdentifierSleepAnalysis\" sourceName=\"Watch\" \
             startDate=\"2023-01-05 23:50:00 +0100\" endDate=\"2023-01-06 00:20:30 +0100\" \
             value=\"HKCategoryValueSleepAnalysis{state}\"/>"
        ));
        all.iter()
            .map(|reading| {
                assert_eq!(reading.measurement.value.get(), 30.5);
                assert_eq!(
                    reading.measurement.timestamp.to_string(),
                    "2023-01-06T00:20:30+01:00"
                );
                let metadata = &shown(reading)[4];
                assert_eq!(metadata["start"], "2023-01-05T23:50:00+01:00");
                assert_eq!(
                    metadata["healthkit_value"],
                    format!("HKCategoryValueSleepAnalysis{state}")
                );
                reading.measurement.data_type.as_str().to_owned()
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(sleep("InBed"), ["time_in_bed"]);
    assert_eq!(sleep("Awake"), ["sleep_awake"]);
    assert_eq!(sleep("Asleep"), ["sleep_duration"]);
    assert_eq!(sleep("AsleepCore"), ["sleep_light", "sleep_duration"]);
    assert_eq!(sleep("AsleepDeep"), ["sleep_deep", "sleep_duration"]);
    assert_eq!(sleep("AsleepREM"), ["sleep_rem", "sleep_duration"]);
}

#[test]
fn invalid_records_are_rejected_with_a_reason() {
    let quantity = "type=\"HKQuantityTypeIdentifierHeartRate\" unit=\"count/min\" value=\"72\"";
    let of = |attributes: &str| format!("<Record {attributes}/>");
    let dates = "startDate=\"2023-01-05 07:30:00 +0100\" endDate=\"2023-01-05 07:30:00 +0100\"";
    for (element, reason) in [
        (
            record("type=\"HKCategoryTypeIdentifierMindfulSession\" value=\"x\""),
            "is not in the vocabulary: HKCategoryTypeIdentifierMindfulSession",
        ),
        (record("unit=\"count\" value=\"1\""), "type is missing"),
        (
            record("type=\"HKQuantityTypeIdentifierHeartRate\" unit=\"count/min\""),
            "value is missing",
        ),
        (
            record("type=\"HKQuantityTypeIdentifierHeartRate\" value=\"72\""),
            "unit is missing",
        ),
        (
            record("type=\"HKQuantityTypeIdentifierHeartRate\" unit=\"count/min\" value=\"fast\""),
            "value must be",
        ),
        (of(quantity), "endDate is missing"),
        (
            of(&format!("{quantity} endDate=\"2023-01-05 07:30:00 +0100\"")),
            "startDate is missing",
        ),
        (
            of(&format!("{quantity} endDate=\"yesterday\"")),
            "endDate must be a time",
        ),
        (
            of(&format!(
                "{quantity} startDate=\"2023-01-05 07:30:01 +0100\" endDate=\"2023-01-05 07:30:00 +0100\""
            )),
            "endDate must not be before startDate",
        ),
        (
            of(&format!(
                "{quantity} startDate=\"2023-01-05 07:30:00 +0100\" endDate=\"2027-01-05 07:30:00 +0100\""
            )),
            "one day ahead",
        ),
        (of(&format!("{quantity} {dates} value=\"73\"")), "twice"),
        (
            of(&format!("{quantity} {dates} sourceName=Jane")),
            "malformed",
        ),
        (
            of(&format!("{quantity} {dates} sourceName=\"&jane;\"")),
            "entity",
        ),
        (
            of(&format!("{quantity} {dates} sourceName=\"&#0;\"")),
            "character",
        ),
        (
            of(&format!(
                "{quantity} {dates} sourceName=\"{}\"",
                "x".repeat(20_000)
            )),
            "16 KiB",
        ),
        (format!("<Record {quantity} {dates}>72</Record>"), "text"),
        (
            format!("<Record {quantity} {dates}><MetadataEntry key=x/></Record>"),
            "malformed",
        ),
        ("<Record/>".to_owned(), "type is missing"),
        ("stray &amp;".to_owned(), "text is not allowed between"),
    ] {
        let outcome = read(around(&element));
        let Item::Rejected(found) = &outcome.items[0].1 else {
            panic!("{element}: {outcome:?}");
        };
        assert!(found.contains(reason), "{element}: {found}");
        assert!(
            !found.contains("jane") && !found.contains("Jane"),
            "{found}"
        );
    }
    assert!(
        rejection(&record(
            "type=\"HKCategoryTypeIdentifierSleepAnalysis\" value=\"9\""
        ))
        .contains("sleep analysis")
    );
}

#[test]
fn other_elements_are_counted_by_name() {
    for (element, name) in [
        ("<ExportDate value=\"2024-02-01\"/>", "ExportDate"),
        (
            "<Workout><WorkoutEvent/><WorkoutRoute><FileReference/></WorkoutRoute></Workout>",
            "Workout",
        ),
        (
            "<Correlation><Record/><Record><MetadataEntry/></Record></Correlation>",
            "Correlation",
        ),
        ("<StateOfMind valence=\"0.5\"/>", "StateOfMind"),
    ] {
        assert_eq!(item(element), Item::Other(name.into()));
    }
}

#[test]
fn metadata_entries_are_limited() {
    let entry = format!("<MetadataEntry key=\"k\" value=\"{}\"/>", "v".repeat(5_000));
    let other = entry.replace("\"k\"", "\"l\"");
    let again = "<MetadataEntry key=\"k\" value=\"w\"/><MetadataEntry value=\"w\"/>";
    let record =
        record("type=\"HKQuantityTypeIdentifierHeartRate\" unit=\"count/min\" value=\"72\"");
    let open = record.replace("/>", ">");
    let all = readings(&format!("{open}{entry}{other}{again}</Record>"));
    let metadata = &shown(&all[0])[4];
    assert_eq!(metadata["healthkit"].as_object().unwrap().len(), 1);
    assert_eq!(metadata["healthkit_left_out"], 3);
}

#[test]
fn every_element_of_an_export_is_accounted_for() {
    let (xml, written) = export(1_000_000, 7);
    let outcome = read(xml);
    assert_eq!(outcome.error, None);
    let (mut readings, mut rejected, mut others) = (0, 0, 0);
    for (_, item) in &outcome.items {
        match item {
            Item::Readings(all) => readings += all.len() as u64,
            Item::Rejected(_) => rejected += 1,
            Item::Other(_) => others += 1,
        }
    }
    assert_eq!(readings, written.readings);
    assert_eq!(rejected, written.rejected);
    assert_eq!(others, written.others);
    assert_eq!(outcome.items.len() as u64, written.records + written.others);
}
