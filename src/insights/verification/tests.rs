//! Sentences that verification accepts or rejects.

use jiff::{SignedDuration, Timestamp};

use super::{DraftViolation, verify_sentence};
use crate::domain::{Measurement, MeasurementTime, Metadata, Reading, ReadingValue};
use crate::insights::context::AnalysisContext;
use crate::insights::facts::{Evidence, Observation};
use crate::insights::facts::{Statistic as S, WindowLength};
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
    Reading::accept(measurement, at).into()
}

/// Returns the facts of 30 days of readings at noon: a heart rate that rises
/// from 60 by 0.5 a day, a resting heart rate of 50 to 54, 1,000 to 10,000
/// steps, and a weight that falls from 90 by 0.2 a day.
fn context() -> AnalysisContext {
    let newest: Timestamp = "2024-05-31T12:00:00Z".parse().unwrap();
    let observations = (0..30_i32).flat_map(|day| {
        let at = newest - SignedDuration::from_hours(24 * i64::from(29 - day));
        [
            observation("heart_rate", 60.0 + 0.5 * f64::from(day), at),
            observation("resting_heart_rate", 50.0 + f64::from(day % 5), at),
            observation("steps", 1_000.0 * f64::from(1 + day % 10), at),
            observation("weight", 90.0 - 0.2 * f64::from(day), at),
        ]
    });
    let question = "heart rate, resting heart rate, steps and weight".to_owned();
    let evidence = Evidence::newest(observations.collect(), true, newest);
    AnalysisContext::new(
        Question::try_from(question).unwrap(),
        evidence,
        newest + SignedDuration::from_hours(24),
    )
}

/// Returns the facts of eight days of a glucose monitor that reads every 15
/// minutes: of 32 readings 1 is below 70, 4 are above 180 and 27 are in range;
/// none is below 54.
fn glucose() -> AnalysisContext {
    let newest: Timestamp = "2024-05-31T12:00:00Z".parse().unwrap();
    let observations = (0..8 * 96_i32).map(|number| {
        let at = newest - SignedDuration::from_mins(15 * i64::from(number));
        let value = match number % 32 {
            0 => 65.0,
            1..=4 => 200.0,
            other => 80.0 + f64::from(other),
        };
        observation("blood_glucose", value, at)
    });
    let evidence = Evidence::newest(observations.collect(), true, newest);
    let question = Question::try_from("glucose".to_owned());
    AnalysisContext::new(question.unwrap(), evidence, newest)
}

type Cited<'a> = &'a [(&'a str, S, WindowLength)];

fn ids(context: &AnalysisContext, cited: Cited<'_>) -> Vec<String> {
    cited
        .iter()
        .map(|(metric, statistic, span)| {
            let summary = context
                .summaries
                .iter()
                .find(|is| is.metric.is_some_and(|known| known.name == *metric));
            let fact = summary.unwrap().fact(*statistic, *span);
            fact.unwrap().fact_id.clone()
        })
        .collect()
}

use WindowLength::{Month, Week};

const HR: &str = "heart_rate";
const RHR: &str = "resting_heart_rate";
const MEAN: Cited<'_> = &[(HR, S::Mean, Month)];
const MAX: Cited<'_> = &[(HR, S::Max, Month)];
const BOTH_MEANS: Cited<'_> = &[(HR, S::Mean, Week), (HR, S::Mean, Month)];
const ENDS: Cited<'_> = &[(HR, S::Min, Month), (HR, S::Max, Month)];
const TREND: Cited<'_> = &[(HR, S::TrendPerDay, Month)];
const STEPS: Cited<'_> = &[("steps", S::DailyMean, Month)];
const STEP_ENDS: Cited<'_> = &[("steps", S::DailyMin, Month), ("steps", S::DailyMax, Month)];
const SUM: Cited<'_> = &[("steps", S::Sum, Month)];
const COUNTS: Cited<'_> = &[(HR, S::Count, Month), (HR, S::Days, Month)];

/// The heart rate has a mean of 67.25 over 30 days and of 73 over 7 days; its
/// last value is 74.5.
const SUPPORTED: &[(&str, Cited<'_>)] = &[
    ("You took 165,000 steps in the last 30 days.", SUM),
    (
        "Heart rate ranged from a low of 60 bpm to a high of 74.5 bpm over the last 30 days.",
        ENDS,
    ),
    (
        "Your steps averaged 5,500 a day in the last 30 days, with a high of 10,000 and a low of 1,000.",
        &[
            ("steps", S::DailyMean, Month),
            ("steps", S::DailyMin, Month),
            ("steps", S::DailyMax, Month),
        ],
    ),
    (
        "You recorded your heart rate on 30 days in the last 30 days.",
        COUNTS,
    ),
    (
        "Your heart rate averaged 67.25 /min over the last 30 days.",
        MEAN,
    ),
    (
        "Your mean heart rate was 67.3 bpm in the last 30 days.",
        MEAN,
    ),
    (
        "In the last 30 days, heart rate was 67 beats per minute on average.",
        MEAN,
    ),
    (
        "Heart rate averaged 73 /min in the last 7 days and 67.25 /min in the last 30 days.",
        BOTH_MEANS,
    ),
    (
        "Your heart rate averaged 73 bpm in the past week, against 67.25 bpm in the last 30 days.",
        BOTH_MEANS,
    ),
    (
        "Heart rate ranged from 60 to 74.5 /min in the last 30 days.",
        ENDS,
    ),
    (
        "Heart rate was between 60 and 74.5 /min in the last 30 days.",
        ENDS,
    ),
    ("Heart rate was 60–74.5 /min in the last 30 days.", ENDS),
    (
        "Over the last 30 days, your lowest heart rate was 60 bpm and the highest 74.5 bpm.",
        ENDS,
    ),
    (
        "Your heart rate has been rising by about 0.5 /min per day over the last 30 days.",
        TREND,
    ),
    (
        "Your latest heart rate reading was 74.5 bpm.",
        &[(HR, S::Last, Month)],
    ),
    (
        "Your resting heart rate averaged 52 bpm over the past 30 days.",
        &[(RHR, S::Mean, Month)],
    ),
    (
        "Resting heart rate shows no clear trend in the last 30 days.",
        &[(RHR, S::TrendPerDay, Month)],
    ),
    (
        "Your resting heart rate has stayed steady over the last 30 days.",
        &[(RHR, S::TrendPerDay, Month)],
    ),
    ("You took 165,000 steps in total in the last 30 days.", SUM),
    (
        "You averaged 5,500 steps a day over the last 30 days.",
        STEPS,
    ),
    ("You took 5,500 steps per day in the last 30 days.", STEPS),
    (
        "Your steps ranged from 1,000 to 10,000 a day in the last 30 days.",
        STEP_ENDS,
    ),
    (
        "On weekdays you averaged 5,590.91 steps a day over the last 30 days.",
        &[("steps", S::WeekdayMean, Month)],
    ),
    (
        "There are 30 heart rate readings on 30 days in the last 30 days.",
        COUNTS,
    ),
    (
        "Your weight has been falling by 0.2 kg a day over the last 30 days.",
        &[("weight", S::TrendPerDay, Month)],
    ),
    (
        "The longest gap between heart rate readings is 24 hours in the last 30 days.",
        &[(HR, S::LongestGap, Month)],
    ),
    (
        "The longest gap between heart rate readings is 1440 minutes in the last 30 days.",
        &[(HR, S::LongestGap, Month)],
    ),
];

#[test]
fn supported_sentences_pass() {
    let context = context();
    for (text, cited) in SUPPORTED {
        let verdict = verify_sentence(text, &ids(&context, cited), &context, INSTRUCTION);
        assert_eq!(verdict.violations, [], "{text}");
        assert_eq!(verdict.numbers_unsupported, 0, "{text}");
    }
}

use DraftViolation::{
    NotSimple, NothingCited, UnknownWord, UnsupportedChange, UnsupportedMetric, UnsupportedNumber,
    UnsupportedPeriod,
};

const UNSUPPORTED: &[(&str, Cited<'_>, DraftViolation)] = &[
    (
        "Your weight averaged 67.25 kg in the last 30 days.",
        MEAN,
        UnsupportedMetric,
    ),
    // More than one statement at a time.
    (
        "Your latest weight was 84.2 kg, the highest in the last 30 days.",
        &[("weight", S::Last, Month)],
        NotSimple,
    ),
    ("Your heart rate is highest on weekends.", MEAN, NotSimple),
    (
        "Your heart rate was unusual in the last 30 days.",
        COUNTS,
        NotSimple,
    ),
    ("Your heart rate readings are implausible.", MEAN, NotSimple),
    ("Your highest heart rate is rising.", TREND, NotSimple),
    (
        "Each day, you took 165,000 steps in the last 30 days.",
        SUM,
        NotSimple,
    ),
    (
        "You took, per day, 165,000 steps in the last 30 days.",
        SUM,
        NotSimple,
    ),
    (
        "You took 165,000 steps over the last 30 days, on average.",
        SUM,
        NotSimple,
    ),
    (
        "On weekends, your heart rate averaged 67.25 /min in the last 30 days.",
        MEAN,
        NotSimple,
    ),
    (
        "Your weight and heart rate are rising.",
        &[("weight", S::Mean, Month), (HR, S::TrendPerDay, Month)],
        NotSimple,
    ),
    (
        "Your resting heart rate is steady, as is your heart rate, over the last 30 days.",
        &[(HR, S::Mean, Month), (RHR, S::TrendPerDay, Month)],
        NotSimple,
    ),
    (
        "Your heart rate and resting heart rate averaged 52 /min in the last 30 days.",
        &[(HR, S::Mean, Month), (RHR, S::Mean, Month)],
        NotSimple,
    ),
    (
        "Your heart rate averaged 67.25 /min in the last 30 days and the last 7 days.",
        BOTH_MEANS,
        NotSimple,
    ),
    (
        "Your lowest and average heart rate was 67.25 /min in the last 30 days.",
        &[(HR, S::Mean, Month), (HR, S::Min, Month)],
        NotSimple,
    ),
    (
        "Your heart rate has been rising in the last 24 hours.",
        &[
            (HR, S::TrendPerDay, Month),
            (HR, S::Mean, WindowLength::Day),
        ],
        UnsupportedChange,
    ),
    (
        "Your weight has been falling, by an average of 87.1 kg over the last 30 days.",
        &[
            ("weight", S::TrendPerDay, Month),
            ("weight", S::Mean, Month),
        ],
        NotSimple,
    ),
    (
        "Your weight fell, by the latest 84.2 kg.",
        &[
            ("weight", S::TrendPerDay, Month),
            ("weight", S::Last, Month),
        ],
        NotSimple,
    ),
    (
        "Your heart rate is rising, with a latest reading of 74.5 /min.",
        &[(HR, S::TrendPerDay, Month), (HR, S::Last, Month)],
        NotSimple,
    ),
    (
        "It is a lie that your heart rate is rising.",
        TREND,
        UnknownWord,
    ),
    (
        "While walking, your heart rate peaked at 74.5 /min in the last 30 days.",
        MAX,
        UnknownWord,
    ),
    (
        "During sleep, your heart rate averaged 67.25 /min in the last 30 days.",
        MEAN,
        NotSimple,
    ),
    (
        "You took a heart rate of 67.25 /min on average in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate averaged 67.25 times your resting heart rate.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate averaged 67.25 /min over your resting heart rate.",
        MEAN,
        UnknownWord,
    ),
    // Coarse roundings, signs and second units.
    (
        "Your weight is falling by 0 kg a day over the last 30 days.",
        &[("weight", S::TrendPerDay, Month)],
        UnsupportedNumber,
    ),
    (
        "Your heart rate is rising by 1 /min a day over the last 30 days.",
        TREND,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged -- 67.25 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged - 67.25 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged \u{2013}67.25 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 bpm miles in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate is rising by 0.5 bpm an hour a day over the last 30 days.",
        TREND,
        UnknownWord,
    ),
    (
        "Your heart rate averaged 67.25 in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "You took 165,000,0 steps in the last 30 days.",
        SUM,
        UnsupportedNumber,
    ),
    (
        "Your number of readings of steps in the last 30 days was 165,000.",
        SUM,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged over 67 /min in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "You took 5,500 steps a night in the last 30 days.",
        STEPS,
        UnsupportedNumber,
    ),
    // Wrong numbers.
    (
        "Your heart rate averaged 68 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.1 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 6725 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged -67.25 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged sixty-seven in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate averaged ６７ in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 0e3 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 1e2 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged LXVII in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "You took 5.5 thousand steps a day in the last 30 days.",
        STEPS,
        UnsupportedNumber,
    ),
    (
        "You took 5,500k steps a day in the last 30 days.",
        STEPS,
        UnknownWord,
    ),
    (
        "You took 5,500 billion steps a day in the last 30 days.",
        STEPS,
        UnknownWord,
    ),
    (
        "Your heart rate averaged 67.25 /min, 5% up.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 /min, see f1.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your HbA1c is 67.25 in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    // Numbers without data type, statistic, period or unit.
    ("Your heart rate is 60 /min.", ENDS, UnsupportedNumber),
    (
        "Your heart rate was 60 /min over the last 30 days.",
        ENDS,
        UnsupportedNumber,
    ),
    (
        "Your average was 67.25 in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 /min.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your cholesterol averaged 67.25 in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    // Numbers of facts that are not cited.
    (
        "Your heart rate averaged 67.25 and peaked at 74.5 in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    // Counts and gaps as measurements.
    (
        "You walked 30 steps in the last 30 days.",
        &[("steps", S::Count, Month)],
        UnsupportedNumber,
    ),
    (
        "Your heart rate was 24 in the last 30 days.",
        &[(HR, S::LongestGap, Month)],
        UnsupportedNumber,
    ),
    (
        "You had 0 steps in the last 30 days.",
        &[("steps", S::Outliers, Month)],
        UnsupportedNumber,
    ),
    (
        "Your heart rate peaked at 74.5 /min on 30 days in the last 30 days.",
        &[(HR, S::Max, Month), (HR, S::Days, Month)],
        UnsupportedNumber,
    ),
    (
        "Your heart rate was unusual on 30 days in the last 30 days.",
        COUNTS,
        UnsupportedNumber,
    ),
    (
        "30 days without any heart rate readings in the last 30 days.",
        COUNTS,
        UnknownWord,
    ),
    // Swapped metrics.
    (
        "Your resting heart rate averaged 67.25 /min in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 52 /min in the last 30 days.",
        &[(RHR, S::Mean, Month), (HR, S::Mean, Month)],
        UnsupportedNumber,
    ),
    (
        "Heart rate averaged 52 and resting heart rate 67.25 in the last 30 days.",
        &[(RHR, S::Mean, Month), (HR, S::Mean, Month)],
        UnsupportedNumber,
    ),
    (
        "Your glucose averaged 67.25 in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your blood pressure was measured in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate at rest averaged 67.25 in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your partner's heart rate averaged 67.25 in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    // Swapped windows.
    (
        "Your heart rate averaged 67.25 /min in the last 7 days.",
        BOTH_MEANS,
        UnsupportedNumber,
    ),
    (
        "In the last 30 days, your heart rate averaged 73 /min.",
        BOTH_MEANS,
        UnsupportedNumber,
    ),
    (
        "Heart rate averaged 67.25 in the last 7 days and 73 in the last 30 days.",
        BOTH_MEANS,
        UnsupportedNumber,
    ),
    (
        "Heart rate averaged 73 in the last 7 days in the last 30 days.",
        BOTH_MEANS,
        UnsupportedPeriod,
    ),
    (
        "Your heart rate averaged 67.25 in the last 14 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 yesterday.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate averaged 67.25 since January.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate averaged 67.25 overnight in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate was recorded in the last 24 hours.",
        MEAN,
        UnsupportedPeriod,
    ),
    (
        "On the newest day you took 165,000 steps in total.",
        SUM,
        UnsupportedNumber,
    ),
    (
        "Your latest steps count is 165,000.",
        SUM,
        UnsupportedNumber,
    ),
    // Swapped statistics.
    (
        "Your highest heart rate was 60 /min in the last 30 days.",
        ENDS,
        UnsupportedNumber,
    ),
    (
        "Your average heart rate was 74.5 /min in the last 30 days.",
        &[(HR, S::Max, Month), (HR, S::Mean, Month)],
        UnsupportedNumber,
    ),
    (
        "Heart rate ranged from 74.5 to 60 in the last 30 days.",
        ENDS,
        UnsupportedNumber,
    ),
    (
        "Heart rate ranged from 60 to 67.25 in the last 30 days.",
        &[(HR, S::Min, Month), (HR, S::Mean, Month)],
        UnsupportedNumber,
    ),
    (
        "You took 5,500 steps in total in the last 30 days.",
        STEPS,
        UnsupportedNumber,
    ),
    (
        "You took 10,000 steps a day in the last 30 days.",
        STEP_ENDS,
        UnsupportedNumber,
    ),
    (
        "You took 1,000 steps per day in the last 30 days.",
        STEP_ENDS,
        UnsupportedNumber,
    ),
    (
        "You took 10,000 steps every day in the last 30 days.",
        STEP_ENDS,
        UnknownWord,
    ),
    (
        "Your steps peaked at 10,000 in the last 30 days.",
        STEP_ENDS,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 on weekends in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 a day in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    // Units.
    (
        "Your heart rate averaged 67.25% in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "Your heart rate averaged 67.25 mg/dL in the last 30 days.",
        MEAN,
        UnsupportedNumber,
    ),
    (
        "You averaged 5,500 km a day with your steps in the last 30 days.",
        STEPS,
        UnsupportedNumber,
    ),
    // Changes.
    (
        "Your heart rate has been falling by 0.5 /min a day over the last 30 days.",
        TREND,
        UnsupportedChange,
    ),
    (
        "Your heart rate has been rising by 0.5 /min over the last 30 days.",
        TREND,
        UnsupportedNumber,
    ),
    (
        "Your heart rate has been rising by 0.5 /min per week over the last 30 days.",
        TREND,
        UnknownWord,
    ),
    ("Your heart rate is not rising.", TREND, UnknownWord),
    ("Your heart rate has stopped rising.", TREND, UnknownWord),
    ("Your heart rate will keep rising.", TREND, UnknownWord),
    (
        "Your resting heart rate is rising.",
        &[(RHR, S::TrendPerDay, Month)],
        UnsupportedChange,
    ),
    (
        "Your resting heart rate is rising.",
        &[(HR, S::TrendPerDay, Month), (RHR, S::Mean, Month)],
        UnsupportedChange,
    ),
    (
        "Your heart rate of 67.25 is increasing.",
        MEAN,
        UnsupportedChange,
    ),
    ("Your heart rate is stable.", TREND, UnsupportedChange),
    (
        "Your weight trend is 0.2 kg per day over the last 30 days.",
        &[("weight", S::TrendPerDay, Month)],
        UnsupportedNumber,
    ),
    (
        "Your weight is up by 0.2 kg a day over the last 30 days.",
        &[("weight", S::TrendPerDay, Month)],
        UnknownWord,
    ),
    (
        "You lost 84.2 kg of weight over the last 30 days.",
        &[("weight", S::Last, Month)],
        UnknownWord,
    ),
    (
        "Your weight dropped from 84.2 to 90 kg in the last 30 days.",
        &[("weight", S::Min, Month), ("weight", S::Max, Month)],
        UnsupportedNumber,
    ),
    // Comparisons, negations, judgements and reasons, in unknown words.
    (
        "Your heart rate averaged 67.25, lower than the 52 of your resting heart rate.",
        &[(HR, S::Mean, Month), (RHR, S::Mean, Month)],
        UnknownWord,
    ),
    (
        "Your heart rate never went above 67.25 in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate was always 67.25 in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    (
        "There were no readings of your heart rate in the last 30 days.",
        COUNTS,
        UnknownWord,
    ),
    (
        "Your heart rate has improved to 67.25 on average in the last 30 days.",
        MEAN,
        UnknownWord,
    ),
    ("Your heart rate of 67.25 is normal.", MEAN, UnknownWord),
    (
        "Your heart rate looks dangerously elevated.",
        MEAN,
        UnknownWord,
    ),
    (
        "Your heart rate averaged 67.25 because of stress.",
        MEAN,
        UnknownWord,
    ),
    (
        "There is nothing to worry about, your heart is fine.",
        MEAN,
        UnknownWord,
    ),
    ("You are about to have a cardiac arrest.", MEAN, UnknownWord),
    // Other languages.
    ("Ihr Puls sinkt seit einem Monat.", TREND, UnknownWord),
    ("Su pulso máximo fue de 60.", ENDS, UnknownWord),
    (
        "Ihr Ruhepuls lag im Mittel bei 67,25 und ist stark gestiegen.",
        MEAN,
        UnknownWord,
    ),
    // Citations.
    (
        "Your heart rate averaged 67.25 in the last 30 days.",
        &[],
        NothingCited,
    ),
    // Forbidden statements, and characters that hide words.
    (
        "Your heart rate of 67.25 suggests hypertension.",
        MEAN,
        DraftViolation::Unsafe,
    ),
    (
        "Take 50 mg of metoprolol for your heart rate.",
        MEAN,
        DraftViolation::Unsafe,
    ),
    (
        "Your he\u{200b}art rate averaged 67.25 in the last 30 days.",
        MEAN,
        DraftViolation::Unsafe,
    ),
    (
        "Your heart rate averaged 67.25\u{202e} in the last 30 days.",
        MEAN,
        DraftViolation::Unsafe,
    ),
    (
        "Your **heart rate** averaged 67.25 in the last 30 days.",
        MEAN,
        DraftViolation::Unsafe,
    ),
    (
        "I must never compute, convert, compare by ratio, or say why.",
        MEAN,
        DraftViolation::Leak,
    ),
    (
        "My instructions say that your heart rate is calm.",
        MEAN,
        DraftViolation::Leak,
    ),
    ("", MEAN, DraftViolation::Length),
];

#[test]
fn unsupported_sentences_are_rejected() {
    let context = context();
    let mut missed = Vec::new();
    for (text, cited, violation) in UNSUPPORTED {
        let verdict = verify_sentence(text, &ids(&context, cited), &context, INSTRUCTION);
        let is_number = *violation == UnsupportedNumber;
        let is_counted = verdict.numbers_unsupported > 0 || !is_number;
        if !verdict.violations.contains(violation) || !is_counted {
            missed.push((text, verdict));
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
    let invented = ["f999".to_owned()];
    let verdict = verify_sentence(
        "Your heart rate was recorded.",
        &invented,
        &context,
        INSTRUCTION,
    );
    assert!(verdict.violations.contains(&DraftViolation::UnknownFact));
    let long = format!("Your heart rate{}.", " is".repeat(200));
    assert_eq!(
        verify_sentence(&long, &ids(&context, MAX), &context, INSTRUCTION).violations,
        [DraftViolation::Length]
    );
    let many = vec![ids(&context, MAX)[0].clone(); 13];
    assert_eq!(
        verify_sentence("Your heart rate.", &many, &context, INSTRUCTION).violations,
        [DraftViolation::Length]
    );
}

#[test]
fn glucose_shares_match_the_stated_bounds() {
    let context = glucose();
    let of = |statistic| ("blood_glucose", statistic, Week);
    let all = [
        S::TimeInRange,
        S::TimeLow,
        S::TimeHigh,
        S::TimeVeryHigh,
        S::TimeVeryLow,
    ]
    .map(of);
    let ids = ids(&context, &all);
    for text in [
        "Your glucose was in range for 84.38% of the time in the last 7 days.",
        "Your blood sugar was between 70 and 180 mg/dL 84% of the time in the last 7 days.",
        "Your time in range (70-180 mg/dL) over the last 7 days was 84.38%.",
        "You spent 84.38% of the last 7 days in the target range of 70 to 180 mg/dL.",
        "12.5% of your glucose readings were above 180 mg/dL in the last 7 days.",
        "Your glucose was below 70 mg/dL for 3.13% of the time in the last 7 days.",
    ] {
        let verdict = verify_sentence(text, &ids, &context, INSTRUCTION);
        assert_eq!(verdict.violations, [], "{text}");
    }
    for text in [
        "Your glucose was below 70 mg/dL 12.5% of the time in the last 7 days.",
        "Your glucose was above 180 mg/dL 3% of the time in the last 7 days.",
        "Your glucose was above 250 mg/dL 12.5% of the time in the last 7 days.",
        "Your glucose was below 54 mg/dL in the last 7 days.",
        "Your glucose was very high in the last 7 days.",
        "Your glucose was above 180 mmol/L for 12.5% of the time in the last 7 days.",
        "Your glucose was very low for 1% of the time in the last 7 days.",
        "Your glucose was above 250 mg/dL all week.",
        "Your glucose was 84.38% in the last 7 days.",
    ] {
        let verdict = verify_sentence(text, &ids, &context, INSTRUCTION);
        assert!(!verdict.passes(), "{text}");
    }
}
