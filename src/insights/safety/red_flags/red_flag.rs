use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::ReadingId;
use crate::domain::vocabulary::{Label, Metric};

/// Sign of an emergency, detected before a model is called.
#[derive(Debug, Clone, PartialEq)]
pub struct RedFlag {
    /// Kind of emergency.
    pub kind: RedFlagKind,
    /// The reading that shows it; `None` if the question does.
    pub reading: Option<FlaggedReading>,
}

/// Reading beyond its limit.
#[derive(Debug, Clone, PartialEq)]
pub struct FlaggedReading {
    /// Id of the reading.
    pub id: ReadingId,
    /// The data type.
    pub metric: &'static Metric,
    /// The measured value.
    pub value: f64,
    /// The unit; `None` if it may be one of several.
    pub unit: Option<Label>,
    /// Time of the measurement.
    pub at: Timestamp,
    /// Local date of the measurement.
    pub date: Date,
}

/// Kind of emergency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedFlagKind {
    /// Pain or pressure in the chest.
    ChestPain,
    /// Shortness of breath or choking.
    TroubleBreathing,
    /// Suicidal thoughts or self-harm.
    SuicidalThoughts,
    /// Signs of a stroke, such as facial drooping, arm weakness or slurred speech.
    StrokeSigns,
    /// Loss of consciousness or a seizure.
    Unconsciousness,
    /// A severe allergic reaction.
    Anaphylaxis,
    /// An overdose or poisoning.
    Overdose,
    /// Severe bleeding.
    SevereBleeding,
    /// Hypoglycaemia that needs immediate treatment.
    SevereHypoglycaemia,
    /// Dangerously low blood oxygen.
    LowOxygen,
    /// A hypertensive crisis.
    VeryHighBloodPressure,
}

impl RedFlagKind {
    /// Returns the name used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ChestPain => "chest_pain",
            Self::TroubleBreathing => "trouble_breathing",
            Self::SuicidalThoughts => "suicidal_thoughts",
            Self::StrokeSigns => "stroke_signs",
            Self::Unconsciousness => "unconsciousness",
            Self::Anaphylaxis => "anaphylaxis",
            Self::Overdose => "overdose",
            Self::SevereBleeding => "severe_bleeding",
            Self::SevereHypoglycaemia => "severe_hypoglycaemia",
            Self::LowOxygen => "low_oxygen",
            Self::VeryHighBloodPressure => "very_high_blood_pressure",
        }
    }

    /// Returns the advice for the user.
    pub fn advice(self) -> &'static str {
        match self {
            Self::SuicidalThoughts => {
                "You are not alone, and help is there right now. Please call your local emergency number (112 in Europe, 911 in North America) or a crisis line such as 988 (US and Canada), 116 123 (UK and Ireland) or 0800 111 0 111 (Germany), or go to the nearest emergency department. If you can, stay with somebody you trust. No statistics can answer this question."
            }
            Self::SevereHypoglycaemia => {
                "Very low blood sugar can become dangerous within minutes. If the person is awake and can swallow, give fast sugar such as juice or glucose now, and check again soon. If they are confused, cannot swallow, faint or have a seizure, call your local emergency number (112 in Europe, 911 in North America) right away. Please contact a doctor even when it passes."
            }
            Self::LowOxygen => {
                "A blood oxygen reading this low can mean an emergency. Please sit upright, warm the finger and measure once more. If it stays low, or there is any trouble breathing, blue lips or confusion, call your local emergency number (112 in Europe, 911 in North America) right away."
            }
            Self::VeryHighBloodPressure => {
                "A blood pressure reading this high can mean an emergency. If there is chest pain, trouble breathing, weakness, or trouble seeing or speaking, call your local emergency number (112 in Europe, 911 in North America) right away. Otherwise rest, measure once more after five minutes, and contact a doctor today if it stays high."
            }
            _ => {
                "What you describe can be an emergency. Please call your local emergency number (112 in Europe, 911 in North America) right away, or have somebody take you to the nearest emergency department. Do not wait, and do not rely on this app for it."
            }
        }
    }
}
