//! Which data types everyday words speak of.

use std::sync::LazyLock;

use super::tokenize::{PhraseTable, Word};
use crate::domain::vocabulary;

/// Something that people ask about.
pub struct Topic {
    /// Words for it, in the languages that apps are asked in most.
    words: &'static [&'static str],
    /// Data types that bear on it, by how much they tell.
    pub metrics: &'static [&'static str],
}

/// Data types on sleep, by how much they tell.
pub const SLEEP: &[&str] = &[
    "sleep_duration",
    "sleep_efficiency",
    "sleep_deep",
    "sleep_rem",
    "sleep_light",
    "sleep_awake",
    "time_in_bed",
];
/// Data types on movement, by how much they tell.
pub const MOVEMENT: &[&str] = &[
    "steps",
    "exercise_time",
    "active_energy",
    "distance",
    "flights_climbed",
    "vo2_max",
];
/// Data types on the heart, by how much they tell.
pub const HEART: &[&str] = &[
    "heart_rate",
    "resting_heart_rate",
    "sleeping_heart_rate",
    "walking_heart_rate",
    "hrv_rmssd",
    "hrv_sdnn",
];
/// Data types on blood pressure, by how much they tell.
pub const BLOOD_PRESSURE: &[&str] = &["blood_pressure_systolic", "blood_pressure_diastolic"];
/// Data types on temperature, by how much they tell.
pub const TEMPERATURE: &[&str] = &[
    "body_temperature",
    "basal_body_temperature",
    "skin_temperature",
    "skin_temperature_deviation",
];
/// Data types on weight, by how much they tell.
pub const WEIGHT: &[&str] = &["weight", "bmi", "body_fat", "height"];

/// All topics, in the order in which a general question is answered.
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

/// The topic that the data type tells most about.
pub fn topic_of(metric: &str) -> Option<&'static Topic> {
    let place = |topic: &Topic| topic.metrics.iter().position(|known| *known == metric);
    TOPICS
        .iter()
        .filter_map(|topic| Some((place(topic)?, topic)))
        .min_by_key(|(place, _)| *place)
        .map(|(_, topic)| topic)
}

/// What words in a text speak of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// The words, as people would say them.
    pub phrase: String,
    /// The one data type that is named, if one is.
    pub named: Option<String>,
    /// Data types that bear on it.
    pub related: Vec<&'static str>,
}

/// Finds mentions of data types: those of the vocabulary, topics, and
/// `others`, which are not in it.
pub fn find_mentions<'a>(
    words: &[Word],
    others: impl IntoIterator<Item = &'a str>,
) -> Vec<(std::ops::Range<usize>, Mention)> {
    let others: Vec<&str> = others.into_iter().collect();
    let found = KNOWN.find(words);
    if others.is_empty() {
        return found
            .into_iter()
            .map(|(at, mention)| (at, mention.clone()))
            .collect();
    }
    let others = PhraseTable::new(others.into_iter().map(|name| {
        let mention = Mention {
            phrase: name.replace('_', " "),
            named: Some(name.to_owned()),
            related: Vec::new(),
        };
        (name, mention)
    }));
    let mut all: Vec<_> = found.into_iter().chain(others.find(words)).collect();
    // Where two overlap, the one with more words is meant.
    all.sort_by_key(|(at, _)| (at.start, std::cmp::Reverse(at.len())));
    let mut mentions: Vec<(std::ops::Range<usize>, Mention)> = Vec::new();
    for (at, mention) in all {
        if mentions.last().is_none_or(|(last, _)| last.end <= at.start) {
            mentions.push((at, mention.clone()));
        }
    }
    mentions
}

/// Finds names of data types of the vocabulary: what a sentence says that it
/// speaks of.
pub fn find_data_types(words: &[Word]) -> Vec<(std::ops::Range<usize>, Mention)> {
    let found = NAMED.find(words).into_iter();
    found.map(|(at, mention)| (at, mention.clone())).collect()
}

static NAMED: LazyLock<PhraseTable<Mention>> = LazyLock::new(|| {
    /// Other words for one data type.
    const ALSO: [(&str, &str); 4] = [
        ("sleep", "sleep_duration"),
        ("slept", "sleep_duration"),
        ("blood sugar", "blood_glucose"),
        ("sugar", "blood_glucose"),
    ];
    /// Aliases that are units, or that mean several things.
    const AMBIGUOUS: [&str; 6] = ["bpm", "energy", "calories", "temperature", "water", "hrv"];
    let names = names().filter(|(name, _)| !AMBIGUOUS.contains(name));
    let also = ALSO.iter().map(|(word, name)| {
        let mention = Mention {
            phrase: (*word).to_owned(),
            named: Some((*name).to_owned()),
            related: Vec::new(),
        };
        (*word, mention)
    });
    PhraseTable::new(names.chain(also))
});

static KNOWN: LazyLock<PhraseTable<Mention>> =
    // "hrv" is the name of one, but people mean either.
    LazyLock::new(|| PhraseTable::new(topics().chain(names())));

/// The words of topics.
fn topics() -> impl Iterator<Item = (&'static str, Mention)> {
    TOPICS.iter().flat_map(|topic| {
        topic.words.iter().map(|word| {
            let mention = Mention {
                phrase: (*word).to_owned(),
                named: None,
                related: topic.metrics.to_vec(),
            };
            (*word, mention)
        })
    })
}

/// The names of data types.
fn names() -> impl Iterator<Item = (&'static str, Mention)> {
    let written = vocabulary::metrics()
        .iter()
        .flat_map(|metric| metric.names().map(|name| (name, metric.name.as_str())));
    let spoken = SPOKEN.iter().copied();
    written.chain(spoken).map(|(phrase, name)| {
        let mention = Mention {
            phrase: phrase.replace('_', " "),
            named: Some(name.to_owned()),
            related: topic_of(name).map_or_else(Vec::new, |topic| topic.metrics.to_vec()),
        };
        (phrase, mention)
    })
}

/// How people say the names of data types, where not as they are written.
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
    fn topics_name_data_types_of_the_vocabulary() {
        for metric in TOPICS.iter().flat_map(|topic| topic.metrics) {
            assert_eq!(vocabulary::find(metric).unwrap().name, *metric);
        }
        for (_, metric) in SPOKEN {
            assert_eq!(vocabulary::find(metric).unwrap().name, *metric);
        }
    }

    #[test]
    fn everyday_words_and_names_are_understood() {
        let of = |text: &str| -> Vec<String> {
            find_mentions(&tokenize(text), ["grip_strength", "sleep_score"])
                .into_iter()
                .map(|(_, mention)| mention.named.unwrap_or(mention.phrase))
                .collect()
        };
        assert_eq!(of("How did I sleep?"), ["sleep"]);
        assert_eq!(
            of("resting heart rate or heart rate?"),
            ["resting_heart_rate", "heart_rate"]
        );
        assert_eq!(of("My blood sugar, and steps"), ["blood sugar", "steps"]);
        assert_eq!(
            of("Grip strength? Sleep score?"),
            ["grip_strength", "sleep_score"]
        );
        assert_eq!(of("Wie war mein Schlaf?"), ["schlaf"]);
        assert!(of("How am I doing?").is_empty());
    }
}
