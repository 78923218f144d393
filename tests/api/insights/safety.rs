//! Signs that somebody needs help now.

use serde_json::{Value, json};

use super::{ask, store};
use crate::app::TestApp;

/// What people say, and what it is a sign of.
pub const RED_FLAGS: &[(&str, &str)] = &[
    ("I have chest pain", "chest_pain"),
    ("My chest hurts, how is my heart rate?", "chest_pain"),
    (
        "There is a tight pressure in my chest since this morning",
        "chest_pain",
    ),
    ("Am I having a heart attack?", "chest_pain"),
    ("pain shooting down my left arm", "chest_pain"),
    ("Ich habe Brustschmerzen", "chest_pain"),
    ("Tengo dolor en el pecho", "chest_pain"),
    ("J'ai une douleur à la poitrine", "chest_pain"),
    ("I can't breathe", "trouble_breathing"),
    ("I can’t breathe properly", "trouble_breathing"),
    (
        "Trouble breathing since an hour, what is my SpO2?",
        "trouble_breathing",
    ),
    ("I am SHORT   OF BREATH", "trouble_breathing"),
    ("struggling to breathe at night", "trouble_breathing"),
    ("Ich bekomme keine Luft", "trouble_breathing"),
    ("No puedo respirar", "trouble_breathing"),
    ("I want to die", "suicidal_thoughts"),
    ("I want to kill myself", "suicidal_thoughts"),
    ("thinking about suicide", "suicidal_thoughts"),
    ("I've been having suicidal thoughts", "suicidal_thoughts"),
    (
        "Everyone would be better off without me",
        "suicidal_thoughts",
    ),
    ("I don't want to live anymore", "suicidal_thoughts"),
    ("I keep hurting myself", "suicidal_thoughts"),
    ("Ich will nicht mehr leben", "suicidal_thoughts"),
    ("No quiero vivir", "suicidal_thoughts"),
    ("half of my face is drooping", "stroke_signs"),
    ("My face droops on one side", "stroke_signs"),
    ("my speech is slurred", "stroke_signs"),
    ("Is this a stroke?", "stroke_signs"),
    ("my left arm went numb", "stroke_signs"),
    ("sudden weakness on one side", "stroke_signs"),
    ("my sugar is dangerously low", "severe_hypoglycaemia"),
    ("severe hypo, what now", "severe_hypoglycaemia"),
    ("very low blood sugar", "severe_hypoglycaemia"),
    (
        "my glucose is low and I am confused",
        "severe_hypoglycaemia",
    ),
    ("Ich bin stark in Unterzuckerung", "severe_hypoglycaemia"),
    ("She passed out after dinner", "unconsciousness"),
    ("he had a seizure", "unconsciousness"),
    ("my throat is swelling up", "anaphylaxis"),
    ("I took too many pills", "overdose"),
    ("the bleeding won't stop", "severe_bleeding"),
];

#[tokio::test]
async fn every_red_flag_in_words_is_escalated() {
    let app = TestApp::start().await;
    store(&app, [json!({"timestamp": "2024-05-31T00:00:00Z"})]).await;
    for (words, sign) in RED_FLAGS {
        let answer = ask(&app, words).await;
        assert_eq!(answer["status"], "escalated", "{words}");
        assert_eq!(answer["safety"]["escalation"], *sign, "{words}");
        let text = answer["insight"].as_str().unwrap();
        assert!(text.contains("emergency"), "{words}: {text}");
        assert_eq!(answer["findings"], json!([]), "{words}");
        assert_eq!(answer["model"], Value::Null);
    }
}

/// A reading that calls for help now, and the nearest that does not.
const LIMITS: &[(&str, &str, f64, f64, &str)] = &[
    ("blood_glucose", "mg/dL", 53.9, 54.0, "severe_hypoglycaemia"),
    ("glucose", "mmol/L", 2.9, 3.0, "severe_hypoglycaemia"),
    ("blood_oxygen", "%", 87.9, 88.0, "low_oxygen"),
    ("spo2", "1", 0.87, 0.88, "low_oxygen"),
    (
        "blood_pressure_systolic",
        "mm[Hg]",
        180.0,
        179.0,
        "very_high_blood_pressure",
    ),
    ("systolic", "mmHg", 200.0, 170.0, "very_high_blood_pressure"),
    (
        "blood_pressure_diastolic",
        "mm[Hg]",
        120.0,
        119.0,
        "very_high_blood_pressure",
    ),
];

#[tokio::test]
async fn the_latest_reading_beyond_a_limit_is_escalated() {
    for (data_type, unit, beyond, within, sign) in LIMITS {
        let app = TestApp::start().await;
        let reading = |value: f64, at: &str| json!({"data_type": data_type, "unit": unit, "value": value, "timestamp": at});
        store(&app, [reading(*within, "2024-05-31T08:00:00Z")]).await;
        let answer = ask(&app, "How am I?").await;
        assert_eq!(answer["status"], "complete", "{data_type} {within}");
        store(&app, [reading(*beyond, "2024-05-31T09:00:00Z")]).await;
        let answer = ask(&app, "How am I?").await;
        assert_eq!(answer["status"], "escalated", "{data_type} {beyond}");
        assert_eq!(answer["safety"]["escalation"], *sign);
        let fact = &answer["findings"][0]["facts"][0];
        assert_eq!(fact["value"], *beyond);
        assert_eq!(fact["reading_ids"].as_array().unwrap().len(), 1);
        // Once a later reading is within, it is over.
        store(&app, [reading(*within, "2024-05-31T10:00:00Z")]).await;
        assert_eq!(ask(&app, "How am I?").await["status"], "complete");
    }
}

/// What cannot be true, or is of another day than the newest readings, is no
/// sign of danger now.
#[tokio::test]
async fn what_is_impossible_or_long_past_is_not_escalated() {
    let app = TestApp::start().await;
    let glucose = |value: f64, at: &str| json!({"data_type": "blood_glucose", "unit": "mg/dL", "value": value, "timestamp": at});
    store(&app, [glucose(3.0, "2024-05-31T08:00:00Z")]).await;
    assert_eq!(ask(&app, "How am I?").await["status"], "complete");
    store(&app, [glucose(50.0, "2024-05-30T08:00:00Z")]).await;
    assert_eq!(ask(&app, "How am I?").await["status"], "escalated");
    store(&app, [json!({"timestamp": "2024-05-31T08:00:01Z"})]).await;
    assert_ne!(ask(&app, "How am I?").await["status"], "escalated");
}
