use crate::insights::facts::Observation;

/// A sign that somebody needs help now, found before any model is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct RedFlag {
    /// Which.
    pub kind: RedFlagKind,
    /// What shows it, if it was not told by the words.
    pub observation: Option<Observation>,
}

/// Signs that somebody needs help now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedFlagKind {
    /// Pain or pressure in the chest.
    ChestPain,
    /// Not enough air.
    TroubleBreathing,
    /// Thoughts of ending one's life.
    SuicidalThoughts,
    /// A face that droops, an arm that is weak, speech that slurs.
    StrokeSigns,
    /// Loss of consciousness or a seizure.
    Unconsciousness,
    /// A severe allergic reaction.
    Anaphylaxis,
    /// An overdose or poisoning.
    Overdose,
    /// Bleeding that does not stop.
    SevereBleeding,
    /// Glucose so low that it needs treatment at once.
    SevereHypoglycaemia,
    /// Far too little oxygen.
    LowOxygen,
    /// A hypertensive crisis.
    VeryHighBloodPressure,
}

impl RedFlagKind {
    /// Its name in the answer.
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

    /// What the person is told.
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
