//! Which data types everyday words speak of, and what one can do about each.

use std::sync::LazyLock;

use super::words::{Lexicon, Word};
use crate::domain::vocabulary;

/// Something that people ask about.
pub struct Topic {
    /// Words for it, in the languages that apps are asked in most.
    words: &'static [&'static str],
    /// Data types that bear on it, by how much they tell.
    pub metrics: &'static [&'static str],
    /// What does most people good.
    pub advice: &'static str,
}

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
        metrics: &[
            "sleep_duration",
            "sleep_efficiency",
            "sleep_deep",
            "sleep_rem",
            "sleep_light",
            "sleep_awake",
            "time_in_bed",
        ],
        advice: "Going to bed and getting up at about the same time each day helps sleep settle.",
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
            "pas",
            "activité",
        ],
        metrics: &[
            "steps",
            "exercise_time",
            "active_energy",
            "distance",
            "flights_climbed",
            "vo2_max",
        ],
        advice: "A walk after a meal, or taking the stairs, is an easy way to move a little more.",
    },
    Topic {
        words: &[
            "heart",
            "heartbeat",
            "cardiac",
            "cardio",
            "herz",
            "puls",
            "corazón",
            "coeur",
            "cœur",
        ],
        metrics: &[
            "heart_rate",
            "resting_heart_rate",
            "sleeping_heart_rate",
            "walking_heart_rate",
            "hrv_rmssd",
            "hrv_sdnn",
        ],
        advice: "Regular walks at a pace at which talking is easy are good for the heart.",
    },
    Topic {
        words: &[
            "hrv",
            "heart rate variability",
            "recovery",
            "recover",
            "recovered",
        ],
        metrics: &["hrv_rmssd", "hrv_sdnn", "resting_heart_rate"],
        advice: "An easy day after a hard one gives the body time to recover.",
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
        advice: "A few minutes of slow breathing, or time outdoors, helps many people unwind.",
    },
    Topic {
        words: &["feeling", "happy", "happiness", "sad", "mental", "stimmung"],
        metrics: &["mood", "stress"],
        advice: "Daylight, company and something to look forward to are good for the mood.",
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
        advice: "A short walk after eating and regular meals help to keep glucose even.",
    },
    Topic {
        words: &[
            "blood pressure",
            "pressure",
            "blutdruck",
            "presión",
            "tension",
        ],
        metrics: &["blood_pressure_systolic", "blood_pressure_diastolic"],
        advice: "Measuring at the same time of day, seated and rested, makes readings comparable.",
    },
    Topic {
        words: &["oxygen", "saturation", "sauerstoff", "oxígeno", "oxygène"],
        metrics: &["blood_oxygen"],
        advice: "Warm hands and a still moment make oxygen readings more reliable.",
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
        advice: "A few minutes of slow breathing a day are a pleasant habit.",
    },
    Topic {
        words: &["fever", "fieber", "fiebre", "fièvre"],
        metrics: &[
            "body_temperature",
            "basal_body_temperature",
            "skin_temperature",
            "skin_temperature_deviation",
        ],
        advice: "Measuring at the same time of day makes temperatures comparable.",
    },
    Topic {
        words: &["weigh", "gewicht", "peso", "poids", "kilo", "pound"],
        metrics: &["weight", "bmi", "body_fat", "height"],
        advice: "Weighing at the same time of day shows the course better than single values do.",
    },
    Topic {
        words: &["calorie", "kalorien", "calorías", "burn", "burned"],
        metrics: &["active_energy", "total_energy", "basal_energy"],
        advice: "Everyday movement, such as walking or taking the stairs, adds up over a day.",
    },
    Topic {
        words: &[
            "drink", "drinking", "drank", "hydrated", "wasser", "agua", "eau",
        ],
        metrics: &["hydration"],
        advice: "A glass of water with each meal is an easy habit.",
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
    pub about: Vec<&'static str>,
}

/// Finds mentions of data types: those of the vocabulary, topics, and
/// `others`, which are not in it.
pub fn mentions<'a>(
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
    let others = Lexicon::new(others.into_iter().map(|name| {
        let mention = Mention {
            phrase: name.replace('_', " "),
            named: Some(name.to_owned()),
            about: Vec::new(),
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

static KNOWN: LazyLock<Lexicon<Mention>> = LazyLock::new(|| {
    let names = vocabulary::metrics().iter().flat_map(|metric| {
        metric.names().map(|name| {
            let mention = Mention {
                phrase: name.replace('_', " "),
                named: Some(metric.name.clone()),
                about: topic_of(&metric.name).map_or_else(Vec::new, |topic| topic.metrics.to_vec()),
            };
            (name, mention)
        })
    });
    let spoken = SPOKEN.iter().map(|(phrase, name)| {
        let mention = Mention {
            phrase: name.replace('_', " "),
            named: Some((*name).to_owned()),
            about: topic_of(name).map_or_else(Vec::new, |topic| topic.metrics.to_vec()),
        };
        (*phrase, mention)
    });
    let topics = TOPICS.iter().flat_map(|topic| {
        topic.words.iter().map(|word| {
            let mention = Mention {
                phrase: (*word).to_owned(),
                named: None,
                about: topic.metrics.to_vec(),
            };
            (*word, mention)
        })
    });
    // "hrv" is the name of one, but people mean either.
    Lexicon::new(topics.chain(names).chain(spoken))
});

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
    use crate::insights::words::words;

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
            mentions(&words(text), ["grip_strength", "sleep_score"])
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
