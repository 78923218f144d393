//! Catalog of recommendations: harmless everyday actions that suit almost everyone.
//!
//! A model may choose from the catalog but cannot write recommendations of its
//! own, since wrong advice does the most harm.

use crate::domain::vocabulary::Metric;
use crate::insights::context::AnalysisContext;
use crate::insights::question::topics::{
    BLOOD_PRESSURE, HEART, MOVEMENT, SLEEP, TEMPERATURE, WEIGHT,
};

/// Entry of the catalog.
#[derive(Debug, PartialEq, Eq)]
pub struct Advice {
    /// Identifier, which the model uses.
    pub id: &'static str,
    /// Text for the user.
    pub text: &'static str,
    /// Data types that the advice fits; empty if it always fits.
    metrics: &'static [&'static str],
}

/// Maximum number of entries offered for an answer.
const MAX_SUITABLE: usize = 10;

const CALM: &[&str] = &[
    "stress",
    "mood",
    "hrv_rmssd",
    "hrv_sdnn",
    "respiratory_rate",
];

const ADVICE: &[Advice] = &[
    Advice {
        id: "regular_bedtime",
        metrics: SLEEP,
        text: "Going to bed and getting up at about the same time each day helps sleep settle.",
    },
    Advice {
        id: "quiet_evening",
        metrics: SLEEP,
        text: "A quiet half hour before bed, with dim light and no screen, makes falling asleep easier.",
    },
    Advice {
        id: "walk_after_meal",
        metrics: MOVEMENT,
        text: "A walk after a meal, or taking the stairs, is an easy way to move a little more.",
    },
    Advice {
        id: "walk_with_somebody",
        metrics: MOVEMENT,
        text: "Walking with somebody, or at a fixed time of day, makes it easier to keep up.",
    },
    Advice {
        id: "easy_pace",
        metrics: HEART,
        text: "Regular walks at a pace at which talking is easy are good for the heart.",
    },
    Advice {
        id: "easy_day",
        metrics: HEART,
        text: "An easy day after a hard one gives the body time to recover.",
    },
    Advice {
        id: "slow_breathing",
        metrics: CALM,
        text: "A few minutes of slow breathing help many people unwind.",
    },
    Advice {
        id: "time_outdoors",
        metrics: CALM,
        text: "Some time outdoors, or with people one likes, is good for the mood.",
    },
    Advice {
        id: "walk_after_eating",
        metrics: &["blood_glucose"],
        text: "A short walk after eating helps to keep glucose even.",
    },
    Advice {
        id: "regular_meals",
        metrics: &["blood_glucose"],
        text: "Regular meals make the course of glucose easier to follow.",
    },
    Advice {
        id: "measure_seated",
        metrics: BLOOD_PRESSURE,
        text: "Measuring at the same time of day, seated and rested, makes readings comparable.",
    },
    Advice {
        id: "warm_hands",
        metrics: &["blood_oxygen"],
        text: "Warm hands and a still moment make oxygen readings more reliable.",
    },
    Advice {
        id: "same_time_of_day",
        metrics: TEMPERATURE,
        text: "Measuring at the same time of day makes temperatures comparable.",
    },
    Advice {
        id: "weigh_regularly",
        metrics: WEIGHT,
        text: "Weighing at the same time of day shows the course better than single values do.",
    },
    Advice {
        id: "glass_of_water",
        metrics: &["hydration"],
        text: "A glass of water with each meal is an easy habit.",
    },
    Advice {
        id: "wear_regularly",
        metrics: &[],
        text: "Wearing the device regularly makes the next answer more reliable.",
    },
    Advice {
        id: "daylight",
        metrics: &[],
        text: "Daylight in the morning and a little movement are a good start to the day.",
    },
    Advice {
        id: "small_steps",
        metrics: &[],
        text: "A small change that fits into the day is easier to keep than a large one.",
    },
];

/// Returns the advice for the data types of the context, in their order, and
/// then the general advice.
pub fn suitable(context: &AnalysisContext) -> Vec<&'static Advice> {
    let described = context
        .summaries
        .iter()
        .filter_map(|summary| Some(summary.metric?.name.as_str()));
    let asked = context.intent.mentions.iter().flat_map(|mention| {
        mention
            .named
            .as_deref()
            .into_iter()
            .chain(mention.related.iter().copied())
    });
    let mut suitable: Vec<&Advice> = Vec::new();
    for metric in described.chain(asked) {
        for advice in ADVICE {
            if advice.metrics.contains(&metric) && !suitable.contains(&advice) {
                suitable.push(advice);
            }
        }
    }
    suitable.extend(ADVICE.iter().filter(|advice| advice.metrics.is_empty()));
    suitable.truncate(MAX_SUITABLE);
    suitable
}

/// Returns the first advice for a data type.
pub fn for_metric(metric: &Metric) -> Option<&'static Advice> {
    ADVICE
        .iter()
        .find(|advice| advice.metrics.contains(&metric.name.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::vocabulary;

    #[test]
    fn advice_refers_to_data_types_of_the_vocabulary() {
        let metrics = ADVICE.iter().flat_map(|advice| advice.metrics);
        for metric in metrics {
            assert_eq!(vocabulary::find(metric).unwrap().name, *metric);
        }
        let mut ids: Vec<&str> = ADVICE.iter().map(|advice| advice.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ADVICE.len());
    }
}
