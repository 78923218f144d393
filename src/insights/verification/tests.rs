//! What may be said of some facts, and what may not.

use jiff::{SignedDuration, Timestamp};

use super::{Fault, finding, recommendation};
use crate::domain::{Measurement, MeasurementTime, Metadata, Reading, ReadingValue};
use crate::insights::brief::Brief;
use crate::insights::fact::{Span, Statistic as S};
use crate::insights::observation::{Evidence, Observation};
use crate::insights::question::Question;

const INSTRUCTION: &str = "Never compute, convert, compare by ratio, or write a number as a word.";

fn observation(data_type: &str, value: f64, at: Timestamp) -> Observation {
    let measurement = Measurement {
        user_id: "u".parse().unwrap(),
        data_type: data_type.parse().unwrap(),
        value: ReadingValue::try_from(value).unwrap(),
        timestamp: MeasurementTime::parse_any(&at.to_string()).unwrap(),
        unit: None,
        metadata: Metadata::parse("{}").unwrap(),
        client_record: None,
    };
    Reading::take_in(measurement, at).into()
}

/// Thirty days at noon: heart rates that rise from 60 by 0.5 a day, resting
/// ones of 50 to 54, and steps of 1,000 to 10,000.
fn brief() -> Brief {
    let newest: Timestamp = "2024-05-31T12:00:00Z".parse().unwrap();
    let observations = (0..30_i32).flat_map(|day| {
        let at = newest - SignedDuration::from_hours(24 * i64::from(29 - day));
        [
            observation("heart_rate", 60.0 + 0.5 * f64::from(day), at),
            observation("resting_heart_rate", 50.0 + f64::from(day % 5), at),
            observation("steps", 1_000.0 * f64::from(1 + day % 10), at),
        ]
    });
    let question = Question::try_from("heart rate, resting heart rate and steps".to_owned());
    let evidence = Evidence::newest(observations.collect(), true);
    Brief::of(question.unwrap(), &evidence, newest)
}

type Cited<'a> = &'a [(&'a str, S, Span)];

fn ids(brief: &Brief, cited: Cited<'_>) -> Vec<String> {
    cited
        .iter()
        .map(|(metric, statistic, span)| {
            let description = brief.descriptions.iter().find(|is| is.data_type == *metric);
            let fact = description.unwrap().fact(*statistic, *span);
            fact.unwrap().fact_id.clone()
        })
        .collect()
}

use Span::{Day, Month, Week};

const HR: &str = "heart_rate";
const RHR: &str = "resting_heart_rate";

/// Heart rate: 67.25 on the mean of 30 days, 73 of 7, 74.5 last.
const TRUE: &[(&str, Cited<'_>)] = &[
    (
        "Your heart rate averaged 67.25 /min over the last 30 days.",
        &[(HR, S::Mean, Month)],
    ),
    (
        "Your mean heart rate was 67.3 bpm in the last 30 days.",
        &[(HR, S::Mean, Month)],
    ),
    (
        "In the last 30 days, heart rate was 67 beats per minute on average.",
        &[(HR, S::Mean, Month)],
    ),
    (
        "Heart rate averaged 73 /min in the last 7 days and 67.25 /min in the last 30 days.",
        &[(HR, S::Mean, Week), (HR, S::Mean, Month)],
    ),
    (
        "Heart rate ranged from 60 to 74.5 /min in the last 30 days.",
        &[(HR, S::Min, Month), (HR, S::Max, Month)],
    ),
    (
        "Heart rate was between 60 and 74.5 /min in the last 30 days.",
        &[(HR, S::Min, Month), (HR, S::Max, Month)],
    ),
    (
        "Heart rate was 60–74.5 /min in the last 30 days.",
        &[(HR, S::Min, Month), (HR, S::Max, Month)],
    ),
    (
        "Your heart rate has been rising by about 0.5 /min per day.",
        &[(HR, S::TrendPerDay, Month)],
    ),
    (
        "Your heart rate is rising, with a latest reading of 74.5 /min.",
        &[(HR, S::TrendPerDay, Month), (HR, S::Last, Month)],
    ),
    (
        "Your resting heart rate averaged 52 /min over the past 30 days.",
        &[(RHR, S::Mean, Month)],
    ),
    (
        "Resting heart rate shows no clear trend in the last 30 days.",
        &[(RHR, S::TrendPerDay, Month)],
    ),
    (
        "You took 55,000 steps in total in the last 30 days.",
        &[("steps", S::Count, Month)],
    ),
    (
        "You took 165,000 steps in total in the last 30 days.",
        &[("steps", S::Sum, Month)],
    ),
    (
        "You averaged 5,500 steps a day over the last 30 days.",
        &[("steps", S::DailyMean, Month)],
    ),
    (
        "Your steps went from 1,000 to 10,000 a day in the last 30 days.",
        &[("steps", S::DailyMin, Month), ("steps", S::DailyMax, Month)],
    ),
    (
        "There are 30 heart rate readings on 30 days.",
        &[(HR, S::Count, Month), (HR, S::Days, Month)],
    ),
    (
        "Heart rate averaged 67.25 /min, higher than your resting heart rate mean of 52 /min, in the last 30 days.",
        &[(HR, S::Mean, Month), (RHR, S::Mean, Month)],
    ),
];

#[test]
fn what_the_facts_bear_out_passes() {
    let brief = brief();
    for (text, cited) in TRUE {
        let verdict = finding(text, &ids(&brief, cited), &brief, INSTRUCTION);
        if text.contains("55,000") {
            // The one that is false, to see that the others are looked at.
            assert_eq!(verdict.faults, [Fault::UnsupportedNumber], "{text}");
            continue;
        }
        assert_eq!(verdict.faults, [], "{text}");
        assert_eq!(verdict.numbers_unsupported, 0, "{text}");
    }
}

const FALSE: &[(&str, Cited<'_>, Fault)] = &[
    // Wrong numbers.
    (
        "Your heart rate averaged 68 /min in the last 30 days.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.1 /min in the last 30 days.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 6725 /min in the last 30 days.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged -67.25 /min.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged sixty-seven.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged ６７.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "You took 5.5 thousand steps a day.",
        &[("steps", S::DailyMean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "You took 5,500 steps a day, half of the goal.",
        &[("steps", S::DailyMean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 /min, 5% up.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 /min; see f1.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    // Numbers of facts that are not cited.
    (
        "Your heart rate averaged 67.25 and peaked at 74.5.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    // Swapped metrics.
    (
        "Your resting heart rate averaged 67.25 /min.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 52 /min.",
        &[(RHR, S::Mean, Month), (HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Heart rate averaged 52 and resting heart rate 67.25.",
        &[(RHR, S::Mean, Month), (HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your glucose averaged 67.25.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your blood pressure looks fine.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedMetric,
    ),
    // Swapped windows.
    (
        "Your heart rate averaged 67.25 /min in the last 7 days.",
        &[(HR, S::Mean, Month), (HR, S::Mean, Week)],
        Fault::UnsupportedNumber,
    ),
    (
        "In the last 30 days, your heart rate averaged 73 /min.",
        &[(HR, S::Mean, Month), (HR, S::Mean, Week)],
        Fault::UnsupportedNumber,
    ),
    (
        "Heart rate averaged 67.25 in the last 7 days and 73 in the last 30 days.",
        &[(HR, S::Mean, Month), (HR, S::Mean, Week)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 in the last 14 days.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedPeriod,
    ),
    (
        "Your heart rate averaged 67.25 yesterday.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedPeriod,
    ),
    (
        "Your heart rate was calm in the last 24 hours.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedPeriod,
    ),
    // Swapped statistics.
    (
        "Your highest heart rate was 60 /min.",
        &[(HR, S::Min, Month), (HR, S::Max, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your average heart rate was 74.5 /min.",
        &[(HR, S::Max, Month), (HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Heart rate ranged from 74.5 to 60.",
        &[(HR, S::Min, Month), (HR, S::Max, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Heart rate ranged from 60 to 67.25.",
        &[(HR, S::Min, Month), (HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "You took 5,500 steps in total.",
        &[("steps", S::DailyMean, Month)],
        Fault::UnsupportedNumber,
    ),
    // Units.
    (
        "Your heart rate averaged 67.25%.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 mg/dL.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedNumber,
    ),
    (
        "You walked 5,500 km a day with your steps.",
        &[("steps", S::DailyMean, Month)],
        Fault::UnsupportedNumber,
    ),
    // Changes and comparisons.
    (
        "Your heart rate has been falling by 0.5 /min a day.",
        &[(HR, S::TrendPerDay, Month)],
        Fault::UnsupportedChange,
    ),
    (
        "Your resting heart rate is rising.",
        &[(RHR, S::TrendPerDay, Month)],
        Fault::UnsupportedChange,
    ),
    (
        "Your resting heart rate is rising.",
        &[(HR, S::TrendPerDay, Month), (RHR, S::Mean, Month)],
        Fault::UnsupportedChange,
    ),
    (
        "Your heart rate of 67.25 is increasing.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedChange,
    ),
    (
        "Your heart rate is stable.",
        &[(HR, S::TrendPerDay, Month)],
        Fault::UnsupportedChange,
    ),
    (
        "Your heart rate has improved to 67.25.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedChange,
    ),
    (
        "Your heart rate averaged 67.25, lower than the 52 of your resting heart rate.",
        &[(HR, S::Mean, Month), (RHR, S::Mean, Month)],
        Fault::UnsupportedChange,
    ),
    (
        "Your heart rate of 67.25 is higher.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedChange,
    ),
    (
        "Your heart rate of 67.25 is normal.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedChange,
    ),
    (
        "Your heart rate averaged 67.25 because of stress.",
        &[(HR, S::Mean, Month)],
        Fault::UnsupportedChange,
    ),
    // Citations.
    ("Your heart rate averaged 67.25.", &[], Fault::NothingCited),
    // What must not be said.
    (
        "Your heart rate of 67.25 suggests hypertension.",
        &[(HR, S::Mean, Month)],
        Fault::Unsafe,
    ),
    (
        "Take 50 mg of metoprolol for your heart rate.",
        &[(HR, S::Mean, Month)],
        Fault::Unsafe,
    ),
    (
        "I must never compute, convert, compare by ratio, or say why.",
        &[(HR, S::Mean, Month)],
        Fault::Leak,
    ),
    (
        "My instructions say that your heart rate is calm.",
        &[(HR, S::Mean, Month)],
        Fault::Leak,
    ),
    ("", &[(HR, S::Mean, Month)], Fault::Length),
];

#[test]
fn what_the_facts_do_not_bear_out_is_caught() {
    let brief = brief();
    for (text, cited, fault) in FALSE {
        let verdict = finding(text, &ids(&brief, cited), &brief, INSTRUCTION);
        assert!(
            verdict.faults.contains(fault),
            "{text}: {:?}",
            verdict.faults
        );
        let is_number = *fault == Fault::UnsupportedNumber;
        assert!(!is_number || verdict.numbers_unsupported > 0, "{text}");
        assert!(verdict.numbers_unsupported <= verdict.numbers_checked);
    }
    let invented = ["f999".to_owned()];
    let verdict = finding("Your heart rate was calm.", &invented, &brief, INSTRUCTION);
    assert!(verdict.faults.contains(&Fault::UnknownFact));
    let long = format!("Your heart rate{}.", " is".repeat(200));
    let cited = ids(&brief, &[(HR, S::Mean, Day)]);
    assert!(
        finding(&long, &cited, &brief, INSTRUCTION)
            .faults
            .contains(&Fault::Length)
    );
}

/// The service's own wording of any fact says nothing else than the fact.
#[test]
fn the_facts_own_wording_passes() {
    let brief = brief();
    for description in &brief.descriptions {
        for fact in &description.facts {
            let text = crate::insights::wording::sentence(fact, description);
            // Dates are not sent, so a model cannot name them.
            let text = text
                .replace(" up to 2024-05-31", "")
                .replace("in the 30", "in the last 30");
            let text = text
                .replace("in the 7", "in the last 7")
                .replace("in the 24", "in the last 24");
            if text.contains("2024-") {
                continue;
            }
            let verdict = finding(
                &text,
                std::slice::from_ref(&fact.fact_id),
                &brief,
                INSTRUCTION,
            );
            let is_number = |fault: &Fault| *fault == Fault::UnsupportedNumber;
            assert!(
                !verdict.faults.iter().any(is_number),
                "{text} {:?}",
                verdict.faults
            );
        }
    }
}

#[test]
fn advice_is_free_but_for_its_numbers() {
    let brief = brief();
    for text in [
        "A little more walking after meals is a nice way to raise your steps.",
        "Going to bed at the same time may help you sleep better.",
        "A few minutes of slow breathing can help you relax.",
    ] {
        assert_eq!(
            recommendation(text, &[], &brief, INSTRUCTION).faults,
            [],
            "{text}"
        );
    }
    for text in [
        "Aim for 10,000 steps.",
        "Sleep eight hours.",
        "Take melatonin to start sleeping.",
        "You need no doctor; there is no need for a doctor.",
    ] {
        assert!(
            !recommendation(text, &[], &brief, INSTRUCTION).passes(),
            "{text}"
        );
    }
}
