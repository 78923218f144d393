//! Data types and topics that everyday words refer to.

use std::sync::LazyLock;

use super::tokenize::{PhraseTable, Word};
use crate::domain::vocabulary::{self, Label};

/// Subject that users ask about.
pub struct Topic {
    /// Words for the topic, in English, German, Spanish and French.
    words: &'static [&'static str],
    /// Related data types, most relevant first.
    pub metrics: &'static [&'static str],
}

/// Data types about sleep, most relevant first.
pub const SLEEP: &[&str] = &[
    "sleep_duration",
    "sleep_efficiency",
    "sleep_deep",
    "sleep_rem",
    "sleep_light",
    "sleep_awake",
    "time_in_bed",
];
/// Data types about movement, most relevant first.
pub const MOVEMENT: &[&str] = &[
    "steps",
    "exercise_time",
    "active_energy",
    "distance",
    "flights_climbed",
    "vo2_max",
];
/// Data types about the heart, most relevant first.
pub const HEART: &[&str] = &[
    "heart_rate",
    "resting_heart_rate",
    "sleeping_heart_rate",
    "walking_heart_rate",
    "hrv_rmssd",
    "hrv_sdnn",
];
/// Data types about blood pressure, most relevant first.
pub const BLOOD_PRESSURE: &[&str] = &["blood_pressure_systolic", "blood_pressure_diastolic"];
/// Data types about temperature, most relevant first.
pub const TEMPERATURE: &[&str] = &[
    "body_temperature",
    "basal_body_temperature",
    "skin_temperature",
    "skin_temperature_deviation",
];
/// Data types about weight, most relevant first.
pub const WEIGHT: &[&str] = &["weight", "bmi", "body_fat", "height"];

/// All topics, in the order of the answer to a general question.
pub const TOPICS: &[Topic] = &[
    Topic {
        words: &[
            "sleep",
            "slept",
            "sleeping",
            "asleep",
            "insomnia",
            "bedtime",
            "night",
            "nights",
            "nap",
            "tired",
            "rested",
            "schlaf",
            "schlafen",
            "geschlafen",
            "sueño",
            "dormir",
            "dormi",
            "sommeil",
        ],
        metrics: SLEEP,
    },
    Topic {
        words: &[
            "walk",
            "walking",
            "walked",
            "activity",
            "active",
            "exercise",
            "exercising",
            "workout",
            "training",
            "fitness",
            "fit",
            "move",
            "moving",
            "movement",
            "sport",
            "run",
            "running",
            "schritte",
            "bewegung",
            "pasos",
            "actividad",
            "activité",
        ],
        metrics: MOVEMENT,
    },
    Topic {
        words: &[
            "heart",
            "heartbeat",
            "cardiac",
            "cardio",
            "herz",
            "herzfrequenz",
            "puls",
            "corazón",
            "coeur",
            "cœur",
        ],
        metrics: HEART,
    },
    Topic {
        words: &[
            "hrv",
            "heart rate variability",
            "recovery",
            "recover",
            "recovered",
        ],
        metrics: &["hrv_rmssd", "hrv_sdnn"],
    },
    Topic {
        words: &[
            "stressed",
            "stressful",
            "anxious",
            "anxiety",
            "calm",
            "relaxed",
            "relax",
            "tense",
            "estrés",
        ],
        metrics: &["stress", "hrv_rmssd", "hrv_sdnn", "mood"],
    },
    Topic {
        words: &["feeling", "happy", "happiness", "sad", "mental", "stimmung"],
        metrics: &["mood", "stress"],
    },
    Topic {
        words: &[
            "sugar",
            "blood sugar",
            "diabetes",
            "diabetic",
            "zucker",
            "blutzucker",
            "azúcar",
            "glucosa",
            "glycémie",
            "sucre",
        ],
        metrics: &["blood_glucose"],
    },
    Topic {
        words: &[
            "blood pressure",
            "pressure",
            "blutdruck",
            "presión",
            "tension",
        ],
        metrics: BLOOD_PRESSURE,
    },
    Topic {
        words: &["oxygen", "saturation", "sauerstoff", "oxígeno", "oxygène"],
        metrics: &["blood_oxygen"],
    },
    Topic {
        words: &[
            "breath",
            "breathing",
            "respiration",
            "atmung",
            "respiración",
        ],
        metrics: &["respiratory_rate"],
    },
    Topic {
        words: &["fever", "fieber", "fiebre", "fièvre"],
        metrics: TEMPERATURE,
    },
    Topic {
        words: &["weigh", "gewicht", "peso", "poids", "kilo", "pound"],
        metrics: WEIGHT,
    },
    Topic {
        words: &["calorie", "kalorien", "calorías", "burn", "burned"],
        metrics: &["active_energy", "total_energy", "basal_energy"],
    },
    Topic {
        words: &[
            "drink", "drinking", "drank", "hydrated", "wasser", "agua", "eau",
        ],
        metrics: &["hydration"],
    },
];

/// Returns the topic for which the data type is most relevant.
pub fn topic_of(metric: &str) -> Option<&'static Topic> {
    let place = |topic: &Topic| topic.metrics.iter().position(|known| *known == metric);
    TOPICS
        .iter()
        .filter_map(|topic| Some((place(topic)?, topic)))
        .min_by_key(|(place, _)| *place)
        .map(|(_, topic)| topic)
}

/// Reference to a data type or a topic in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The words in everyday form; neutral for a data type beyond the vocabulary.
    pub phrase: Label,
    /// The named data type; `None` for a topic.
    pub named: Option<String>,
    /// Related data types, most relevant first.
    pub related: Vec<&'static str>,
}

/// Finds mentions of data types in the vocabulary, of topics, and of `others`,
/// which are data types beyond the vocabulary.
pub fn find_mentions<'a>(
    words: &[Word],
    others: impl IntoIterator<Item = &'a str>,
) -> Vec<(std::ops::Range<usize>, Mention)> {
    let others: Vec<&str> = others.into_iter().collect();
    let known = KNOWN.find(words);
    if others.is_empty() {
        return known
            .into_iter()
            .map(|(at, mention)| (at, mention.clone()))
            .collect();
    }
    let others = PhraseTable::new(others.into_iter().map(|name| {
        let mention = Mention {
            phrase: Label::new("another data type"),
            named: Some(name.to_owned()),
            related: Vec::new(),
        };
        (name, mention)
    }));
    let mut all: Vec<_> = known.into_iter().chain(others.find(words)).collect();
    // Of two that overlap, the one with more words counts.
    all.sort_by_key(|(at, _)| (at.start, std::cmp::Reverse(at.len())));
    let mut mentions: Vec<(std::ops::Range<usize>, Mention)> = Vec::new();
    for (at, mention) in all {
        if mentions.last().is_none_or(|(last, _)| last.end <= at.start) {
            mentions.push((at, mention.clone()));
        }
    }
    mentions
}

/// Finds names of data types in the vocabulary, which a sentence claims to be
/// about.
pub fn find_data_types(words: &[Word]) -> Vec<(std::ops::Range<usize>, Mention)> {
    let found = NAMED.find(words).into_iter();
    found.map(|(at, mention)| (at, mention.clone())).collect()
}

static NAMED: LazyLock<PhraseTable<Mention>> = LazyLock::new(|| {
    /// Further words for one data type.
    const ALSO: [(&str, &str); 4] = [
        ("sleep", "sleep_duration"),
        ("slept", "sleep_duration"),
        ("blood sugar", "blood_glucose"),
        ("sugar", "blood_glucose"),
    ];
    /// Aliases that are units or ambiguous.
    const AMBIGUOUS: [&str; 6] = ["bpm", "energy", "calories", "temperature", "water", "hrv"];
    let names = names().filter(|(name, _)| !AMBIGUOUS.contains(name));
    let also = ALSO.iter().map(|(word, name)| {
        let mention = Mention {
            phrase: Label::new(word),
            named: Some((*name).to_owned()),
            related: Vec::new(),
        };
        (*word, mention)
    });
    PhraseTable::new(names.chain(also))
});

static KNOWN: LazyLock<PhraseTable<Mention>> =
    // Topics first: "hrv" names one data type, but users mean either.
    LazyLock::new(|| PhraseTable::new(topics().chain(names())));

/// Returns the phrases of topics.
fn topics() -> impl Iterator<Item = (&'static str, Mention)> {
    TOPICS.iter().flat_map(|topic| {
        topic.words.iter().map(|word| {
            let mention = Mention {
                phrase: Label::new(word),
                named: None,
                related: topic.metrics.to_vec(),
            };
            (*word, mention)
        })
    })
}

/// Returns the phrases for data types.
fn names() -> impl Iterator<Item = (&'static str, Mention)> {
    let written = vocabulary::metrics()
        .iter()
        .flat_map(|metric| metric.names().map(|name| (name, metric.name.as_str())));
    let spoken = SPOKEN.iter().copied();
    written.chain(spoken).map(|(phrase, name)| {
        let mention = Mention {
            phrase: Label::spaced(phrase),
            named: Some(name.to_owned()),
            related: topic_of(name).map_or_else(Vec::new, |topic| topic.metrics.to_vec()),
        };
        (phrase, mention)
    })
}

/// Spoken names of data types that differ from the written ones.
const SPOKEN: &[(&str, &str)] = &[
    ("deep sleep", "sleep_deep"),
    ("light sleep", "sleep_light"),
    ("core sleep", "sleep_light"),
    ("rem sleep", "sleep_rem"),
    ("rem", "sleep_rem"),
    ("time awake", "sleep_awake"),
    ("sleep time", "sleep_duration"),
    ("hours of sleep", "sleep_duration"),
    ("resting pulse", "resting_heart_rate"),
    ("resting heart", "resting_heart_rate"),
    ("oxygen saturation", "blood_oxygen"),
    ("systolic blood pressure", "blood_pressure_systolic"),
    ("systolic pressure", "blood_pressure_systolic"),
    ("diastolic blood pressure", "blood_pressure_diastolic"),
    ("diastolic pressure", "blood_pressure_diastolic"),
    ("body weight", "weight"),
    ("stairs", "flights_climbed"),
    ("floors", "flights_climbed"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::insights::question::tokenize::tokenize;

    #[test]
    fn topics_refer_to_data_types_of_the_vocabulary() {
        for metric in TOPICS.iter().flat_map(|topic| topic.metrics) {
            assert_eq!(vocabulary::find(metric).unwrap().name, *metric);
        }
        for (_, metric) in SPOKEN {
            assert_eq!(vocabulary::find(metric).unwrap().name, *metric);
        }
    }

    #[test]
    fn everyday_words_and_names_are_found() {
        let found = |text: &str| -> Vec<String> {
            find_mentions(&tokenize(text), ["grip_strength", "sleep_score"])
                .into_iter()
                .map(|(_, mention)| mention.named.unwrap_or_else(|| mention.phrase.to_string()))
                .collect()
        };
        assert_eq!(found("How did I sleep?"), ["sleep"]);
        assert_eq!(
            found("resting heart rate or heart rate?"),
            ["resting_heart_rate", "heart_rate"]
        );
        assert_eq!(found("My blood sugar, and steps"), ["blood sugar", "steps"]);
        assert_eq!(
            found("Grip strength? Sleep score?"),
            ["grip_strength", "sleep_score"]
        );
        assert_eq!(found("Wie war mein Schlaf?"), ["schlaf"]);
        assert!(found("How am I doing?").is_empty());
    }
}
