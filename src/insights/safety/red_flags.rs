use std::sync::LazyLock;

use jiff::SignedDuration;
use regex::RegexSet;

use crate::domain::vocabulary::{self, convert};
use crate::insights::observation::{Evidence, Observation};
use crate::insights::question::Question;
use crate::statistics::MG_PER_DL_VERY_LOW;

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

/// Words that tell of an emergency, whatever else is asked. They would rather
/// be found once too often: nothing is lost by being told to seek help.
///
/// Signs of a heart attack and of a stroke are those that the American Heart
/// Association lists (<https://www.heart.org>), those of suicide risk and of
/// the others those of `MedlinePlus` "Recognizing medical emergencies"
/// (<https://medlineplus.gov/ency/article/001927.htm>).
const WORDS: &[(RedFlagKind, &str)] = &[
    (
        RedFlagKind::SuicidalThoughts,
        r"suicid|kill(?:ing)? my ?self|end(?:ing)? (?:my life|it all)|(?:want|wish|ready|going|like) to (?:die|be dead)|wish i (?:was|were) dead|don'?t want to (?:live|be alive|wake up|exist)|no reason to live|better off (?:dead|without me)|(?:hurt|harm|cut)(?:ing)? my ?self|self ?harm|take my (?:own )?life|umbringen|selbstmord|suizid|nicht mehr leben|mir das leben nehmen|suicid|matarme|quitarme la vida|no quiero vivir|me tuer|envie de mourir|en finir avec la vie|mettre fin [àa] mes jours",
    ),
    (
        RedFlagKind::ChestPain,
        r"(?:chest|heart) (?:is |really |very |so )*(?:pain|hurt|ache|aching|pressure|tight|discomfort|crush|squeez|heavy|heaviness|burning)|(?:pain|pressure|tight[a-z]*|ache|discomfort|squeez[a-z]*|crush[a-z]*|heav[a-z]*|burning|weight|elephant)[a-z ,]{0,25}(?:in|on|across|of|around|over)[a-z ]{0,8} chest|my chest (?:[a-z]+ ){0,3}(?:hurt|ach|pain|tight)|heart attack|angina|pain[a-z ]{0,20}(?:left arm|jaw)|brustschmerz|schmerz[a-z]* in der brust|druck auf der brust|herzinfarkt|dolor (?:en el |de )pecho|opresi[óo]n en el pecho|infarto|douleurs? (?:[àa] la |dans la )?(?:poitrine|thoracique)|crise cardiaque",
    ),
    (
        RedFlagKind::TroubleBreathing,
        r"(?:can'?t|cannot|can not|unable to|hard to|difficult(?:y)?(?: to| in)?|trouble|struggl[a-z]+(?: to| for)?|problems?) (?:breath|catch(?:ing)? my breath|get(?:ting)? (?:any |enough )?air)|short(?:ness)? of breath|out of breath at rest|gasping|not getting (?:enough )?air|suffocat|chok(?:e|ing)|blue lips|lips are blue|atemnot|keine luft|kriege? (?:kaum|schlecht) luft|no puedo respirar|falta de aire|dificultad para respirar|essouffl|du mal [àa] respirer|n'arrive pas [àa] respirer|ne peux (?:pas|plus) respirer",
    ),
    (
        RedFlagKind::StrokeSigns,
        r"(?-u:\b)stroke(?-u:\b)|(?:face|mouth|smile)[a-z ]{0,20}(?:droop|numb|crooked|sagging|lopsided)|droop[a-z]*[a-z ]{0,12}(?:face|mouth)|slurr[a-z]*|(?:can'?t|cannot|trouble|difficulty|unable to) (?:speak|talk|find[a-z]* words|mov[a-z]+ my (?:arm|leg))|(?:arm|leg|side)[a-z ]{0,30}(?:numb|weak|paraly)|(?:numb|weak|paraly)[a-z]*[a-z ]{0,30}(?:one side|left side|right side|my (?:left |right )?arm|my (?:left |right )?leg)|sudden[a-z]*[a-z ]{0,12}(?:confus|loss of vision|blind|can'?t see)|worst headache|thunderclap|schlaganfall|derrame cerebral|ictus|(?-u:\b)avc(?-u:\b)",
    ),
    (
        RedFlagKind::SevereHypoglycaemia,
        r"(?:severe|dangerous[a-z]*|extreme[a-z]*|very|really|critical[a-z]*) (?:hypo|low (?:blood )?(?:sugar|glucose))|(?:sugar|glucose)[a-z ]{0,25}(?:dangerously|critically|extremely|severely|very|too|really) low|diabetic shock|insulin shock|hypo[a-z]*[a-z ]{0,40}(?:confus|faint|passed out|seizure|shak|unconscious)|(?:sugar|glucose)[a-z ,]{0,40}(?:confus|faint|pass(?:ed|ing) out|seizure|unconscious)|(?:schwere[rn]? )?unterzuck[a-z]+|hipoglucemia (?:grave|severa)|hypoglyc[ée]mie s[ée]v[èe]re",
    ),
    (
        RedFlagKind::Unconsciousness,
        r"unconscious|unresponsive|won'?t wake up|can'?t wake (?:him|her|them)|pass(?:ed|ing) out|faint(?:ed|ing)(?-u:\b)|black(?:ed|ing) out|seizure|convuls|bewusstlos|ohnm[äa]chtig|krampfanfall|desmay|convulsi|perte de connaissance|[ée]vanoui",
    ),
    (
        RedFlagKind::Anaphylaxis,
        r"anaphyla|(?:throat|tongue|face|lips)[a-z ]{0,15}(?:swell|swollen|closing)|swollen (?:throat|tongue)|allergic reaction[a-z ,]{0,30}(?:severe|breath|swell)|severe allergic",
    ),
    (
        RedFlagKind::Overdose,
        r"overdos|took too (?:many|much)|swallowed (?:poison|bleach|too many)|poisoned|[üu]berdosis|sobredosis|surdose",
    ),
    (
        RedFlagKind::SevereBleeding,
        r"(?:severe|heavy|uncontroll[a-z]+|won'?t stop|can'?t stop)[a-z ]{0,15}bleed|bleed[a-z]*[a-z ]{0,25}(?:won'?t stop|not stop|a lot|heavily|badly|uncontroll)|(?:vomit|cough|throw)[a-z]*[a-z ]{0,12}blood",
    ),
];

static PATTERNS: LazyLock<Option<RegexSet>> = LazyLock::new(|| {
    // Part of the program: a test makes sure that they compile.
    RegexSet::new(WORDS.iter().map(|(_, words)| *words)).ok()
});

/// Values that call for help now, in the unit of the vocabulary.
///
/// Glucose: level 2 hypoglycaemia (American Diabetes Association, "Standards of
/// Care in Diabetes", section 6). Oxygen: below the 88 to 92 % that the British
/// Thoracic Society's guideline aims for even in chronic lung disease. Blood
/// pressure: hypertensive crisis (American Heart Association).
const VALUES: &[(RedFlagKind, &str, Bound)] = &[
    (
        RedFlagKind::SevereHypoglycaemia,
        "blood_glucose",
        Bound::Below(MG_PER_DL_VERY_LOW),
    ),
    (RedFlagKind::LowOxygen, "blood_oxygen", Bound::Below(88.0)),
    (
        RedFlagKind::VeryHighBloodPressure,
        "blood_pressure_systolic",
        Bound::From(180.0),
    ),
    (
        RedFlagKind::VeryHighBloodPressure,
        "blood_pressure_diastolic",
        Bound::From(120.0),
    ),
];

#[derive(Clone, Copy)]
enum Bound {
    Below(f64),
    From(f64),
}

impl Bound {
    fn is_crossed_by(self, value: f64) -> bool {
        match self {
            Self::Below(bound) => value < bound,
            Self::From(bound) => value >= bound,
        }
    }
}

/// A sign in the question or in the latest readings that somebody needs help
/// now.
pub fn red_flag(question: &Question, evidence: &Evidence) -> Option<RedFlag> {
    in_words(question.as_str()).or_else(|| match evidence {
        Evidence::Readings { observations, .. } => in_readings(observations),
        Evidence::Withheld => None,
    })
}

fn in_words(question: &str) -> Option<RedFlag> {
    let plain = super::plain(question);
    let found = PATTERNS.as_ref()?.matches(&plain).into_iter().min()?;
    let (kind, _) = WORDS.get(found)?;
    Some(RedFlag {
        kind: *kind,
        observation: None,
    })
}

/// How much older than the newest of all readings one may be to count as
/// latest.
const LATEST: SignedDuration = SignedDuration::from_hours(24);

/// Looks at the newest reading of each type, unless the user has readings of
/// other types that are more than a day newer.
fn in_readings(observations: &[Observation]) -> Option<RedFlag> {
    let newest = observations.first()?.at;
    VALUES.iter().find_map(|(kind, name, bound)| {
        let metric = vocabulary::find(name)?;
        let latest = observations
            .iter()
            .take_while(|observation| newest.duration_since(observation.at) <= LATEST)
            .find_map(|observation| {
                let known = vocabulary::find(observation.data_type.as_str())?;
                let unit = observation
                    .unit
                    .as_ref()
                    .map_or(&*metric.unit, |unit| unit.as_str());
                let value = observation.value.get();
                let is_of_it = known.name == *name && metric.is_plausible(value, unit);
                let value = convert(value, unit, &metric.unit)?;
                is_of_it.then_some((value, observation))
            });
        let (value, observation) = latest?;
        bound.is_crossed_by(value).then(|| RedFlag {
            kind: *kind,
            observation: Some(observation.clone()),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_compile_and_everyday_questions_pass() {
        assert!(PATTERNS.is_some());
        for question in [
            "How is my heart rate?",
            "What was my mean breathing rate while asleep?",
            "How many steps did I take, and is my chest strap better than my watch?",
            "Was my sugar in range last week?",
            "Why is my sleep worse on weekends?",
            "How much did I walk?",
            "Is my blood pressure fine?",
            "Did I burn more energy this week?",
        ] {
            assert_eq!(in_words(question), None, "{question}");
        }
    }
}
