use clarity_backend::domain::{Measurement, Metadata};
use clarity_backend::store::ReadingStore;

use super::{list, store_all, stored};
use crate::samples::{all_of, measurement, reading};

async fn assert_come_back(store: &dyn ReadingStore, text: &str) {
    let metadata = Metadata::parse(text).unwrap();
    let reading = reading(Measurement {
        metadata: metadata.clone(),
        ..measurement("someone", "2024-01-15T10:30:00Z")
    });
    store_all(store, std::slice::from_ref(&reading)).await;
    let got = stored(store, &reading).await.unwrap();
    assert_eq!(got.measurement.metadata.as_str(), metadata.as_str());
    let listed = list(store, &all_of("someone")).await.readings;
    assert!(listed.contains(&reading), "{}", metadata.as_str());
}

pub async fn every_json_type_round_trips(store: &dyn ReadingStore) {
    for text in [
        "{}",
        r#"{"a":null}"#,
        r#"{"a":true,"b":false}"#,
        r#"{"a":"text","b":""}"#,
        r#"{"a":[],"b":{},"c":[[],{}]}"#,
        r#"{"a":[1,"1",1.5,null,true,{"b":[2]}]}"#,
        r#"{"b":1,"a":{"d":2,"c":3}}"#,
    ] {
        assert_come_back(store, text).await;
    }
}

pub async fn numbers_of_every_magnitude_round_trip(store: &dyn ReadingStore) {
    for number in [
        "0",
        "-0.0",
        "-1",
        "1.0",
        "0.1",
        "-2.5",
        "100",
        "1e2",
        "1e-6",
        "1e-7",
        "1e-9",
        "1e-130",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775808",
        "18446744073709551615",
        "18446744073709551616.0",
        "-9223372036854775809.0",
        "2.5e20",
        "-1e19",
        "123456789012345680000.0",
        "1e21",
        "1e30",
        "-1.5e30",
        "1.7976931348623157e100",
        "9.9e125",
        "3.141592653589793",
    ] {
        assert_come_back(store, &format!(r#"{{"n":{number},"l":[{number}]}}"#)).await;
    }
}

pub async fn any_text_round_trips(store: &dyn ReadingStore) {
    for text in [
        r#"{"a":"é ü ß 日本語 🩺 👩‍⚕️ \u202e"}"#,
        r#"{"é":1,"日本":{"🩺":2}}"#,
        r#"{"a":"\u0000\u0001\u001f\u007f"}"#,
        r#"{"a":"\"\\\/\b\f\n\r\t"}"#,
        r##"{"a.b":1,"a b":2,"#a":3,":a":4,"a[0]":5,"\"":6,"\\":7,"\n":8}"##,
        r#"{"S":"N","N":1,"M":{"L":[]},"NULL":null}"#,
        r#"{"user_id":"other","data_id":"x","value":1}"#,
        r#"{"a":"\ufeff\uffff\ud83e\ude7a"}"#,
        r#"{"a":"  spaces  ","  b  ":" "}"#,
    ] {
        assert_come_back(store, text).await;
    }
}

pub async fn maximum_nesting_round_trips(store: &dyn ReadingStore) {
    let levels = Metadata::MAX_DEPTH;
    let objects = format!("{}1{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
    let arrays = format!(
        r#"{{"a":{}{}}}"#,
        "[".repeat(levels - 1),
        "]".repeat(levels - 1)
    );
    assert_come_back(store, &objects).await;
    assert_come_back(store, &arrays).await;
}

pub async fn maximum_size_round_trips(store: &dyn ReadingStore) {
    let around = r#"{"a":""}"#.len();
    let one_text = format!(r#"{{"a":"{}"}}"#, "x".repeat(Metadata::MAX_BYTES - around));
    assert_eq!(one_text.len(), Metadata::MAX_BYTES);
    let numbers = format!(r#"{{"a":[{}1]}}"#, "1,".repeat(8_000));
    let members: Vec<_> = (0..1_000)
        .map(|index| format!(r#""m{index}":null"#))
        .collect();
    for text in [one_text, numbers, format!("{{{}}}", members.join(","))] {
        assert_come_back(store, &text).await;
    }
}
