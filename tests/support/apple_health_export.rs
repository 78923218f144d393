//! Generates Apple Health exports of any size in the structure of real ones: the document
//! type, then years of records by type, with workouts and activity summaries.
//!
//! All numbers are derived from a seed, so exports are reproducible. Readings of up to
//! about 400 MB are distinct; after that, time restarts a year earlier.

use std::io::{self, Write};

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp, Zoned};

/// Contents of a generated export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Size of the file.
    pub bytes: u64,
    /// `Record` elements directly within the root.
    pub records: u64,
    /// Readings that the records result in. A sleep stage results in two.
    pub readings: u64,
    /// Records of a category without a data type, which the import rejects.
    pub rejected: u64,
    /// Elements of other names.
    pub others: u64,
}

/// Writes an export of at least `min_bytes` bytes.
pub fn write(output: &mut impl Write, min_bytes: u64, seed: u64) -> io::Result<Written> {
    let mut export = Export {
        output,
        written: Written::default(),
        generator: Generator(seed),
        at: "2016-04-15T06:00:00Z".parse().map_err(io::Error::other)?,
    };
    export.prolog()?;
    let mut kind = 0;
    while export.written.bytes < min_bytes {
        // A phone writes the records type by type.
        let kinds = QUANTITIES.len() + 3;
        let share = (min_bytes / 40).max(200);
        let end = min_bytes.min(export.written.bytes + share);
        while export.written.bytes < end {
            match QUANTITIES.get(kind % kinds) {
                Some(quantity) => export.quantity(quantity)?,
                None if kind % kinds == QUANTITIES.len() => export.sleep()?,
                None if kind % kinds == QUANTITIES.len() + 1 => export.blood_pressure()?,
                None => export.others()?,
            }
        }
        kind += 1;
    }
    export.text("</HealthData>\n")?;
    Ok(export.written)
}

/// Type, unit, minimum and maximum value, decimal places, and duration of a record in
/// seconds.
type Quantity = (&'static str, &'static str, f64, f64, usize, i64);

const QUANTITIES: &[Quantity] = &[
    ("StepCount", "count", 1.0, 900.0, 0, 300),
    ("HeartRate", "count/min", 48.0, 150.0, 0, 0),
    ("ActiveEnergyBurned", "Cal", 0.01, 9.0, 3, 60),
    ("DistanceWalkingRunning", "km", 0.001, 0.9, 5, 300),
    ("BasalEnergyBurned", "Cal", 1.0, 30.0, 3, 900),
    ("OxygenSaturation", "%", 0.91, 1.0, 2, 0),
    ("HeartRateVariabilitySDNN", "ms", 12.0, 120.0, 4, 60),
    ("RespiratoryRate", "count/min", 11.0, 19.0, 1, 0),
    ("BodyMass", "lb", 140.0, 160.0, 1, 0),
    (
        "BloodGlucose",
        "mmol&lt;180.1558800000541&gt;/L",
        3.9,
        11.0,
        1,
        0,
    ),
    ("VO2Max", "mL/min·kg", 38.0, 46.0, 2, 0),
    ("WalkingSpeed", "km/hr", 3.0, 6.0, 2, 20),
    ("EnvironmentalAudioExposure", "dBASPL", 30.0, 90.0, 3, 1_800),
    ("DietaryProtein", "g", 1.0, 60.0, 1, 0),
];

/// Excerpt of the document type. As in exports of iOS 16, one attribute list is not
/// closed.
const DOCUMENT_TYPE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [
<!-- Export Version: 12 -->
<!ELEMENT HealthData (ExportDate,Me,(Record|Correlation|Workout|ActivitySummary|VisionPrescription)*)>
<!ATTLIST HealthData
  locale CDATA #REQUIRED
>
<!ELEMENT Record ((MetadataEntry|HeartRateVariabilityMetadataList)*)>
<!ATTLIST Record
  type      CDATA #REQUIRED
  unit      CDATA #IMPLIED
  value     CDATA #IMPLIED
  startDate CDATA #REQUIRED
  endDate   CDATA #REQUIRED
>
<!-- Records within a Correlation also stand on their own. -->
<!ELEMENT Correlation ((MetadataEntry|Record)*)>
<!ELEMENT VisionPrescription ((RightEye|LeftEye)*)>
<!ATTLIST VisionPrescription
  type       CDATA #REQUIRED
  dateIssued CDATA #REQUIRED
<!ELEMENT RightEye EMPTY>
<!ATTLIST RightEye
  sphere CDATA #IMPLIED
>
]>
"#;

struct Export<'a, W> {
    output: &'a mut W,
    written: Written,
    generator: Generator,
    at: Timestamp,
}

impl<W: Write> Export<'_, W> {
    fn text(&mut self, text: &str) -> io::Result<()> {
        self.written.bytes += text.len() as u64;
        self.output.write_all(text.as_bytes())
    }

    fn prolog(&mut self) -> io::Result<()> {
        self.text(DOCUMENT_TYPE)?;
        self.text("<HealthData locale=\"de_DE\">\n")?;
        self.text(" <ExportDate value=\"2024-02-01 08:00:00 +0100\"/>\n")?;
        self.text(concat!(
            " <Me HKCharacteristicTypeIdentifierDateOfBirth=\"1980-01-01\"",
            " HKCharacteristicTypeIdentifierBiologicalSex=\"HKBiologicalSexNotSet\"/>\n"
        ))?;
        self.written.others += 2;
        Ok(())
    }

    /// Returns the next time span of `seconds` as attributes.
    fn span(&mut self, seconds: i64) -> String {
        let pause = 5 + i64::from(self.generator.below(55));
        let start = self.at + SignedDuration::from_secs(pause);
        let end = start + SignedDuration::from_secs(seconds);
        // Stays in the past, since readings in the future are rejected.
        self.at = if end.as_second() < 1_700_000_000 {
            end
        } else {
            self.at - SignedDuration::from_hours(24 * 365)
        };
        format!(
            "creationDate=\"{end}\" startDate=\"{start}\" endDate=\"{end}\"",
            start = format_time(start),
            end = format_time(end)
        )
    }

    fn source(&mut self) -> String {
        let address = 0x2_8000_0000_u64 + u64::from(self.generator.below(0x0FFF_FFFF));
        if self.generator.below(3) == 0 {
            "sourceName=\"iPhone\" sourceVersion=\"17.2.1\"".to_owned()
        } else {
            format!(
                "sourceName=\"Apple Watch\" sourceVersion=\"10.1\" device=\"&lt;&lt;HKDevice: \
                 {address:#x}&gt;, name:Apple Watch, manufacturer:Apple Inc., model:Watch, \
                 hardware:Watch6,2, software:10.1&gt;\""
            )
        }
    }

    fn quantity(&mut self, quantity: &Quantity) -> io::Result<()> {
        let (name, unit, min, max, digits, seconds) = *quantity;
        let value = min + (max - min) * self.generator.fraction();
        let (source, span) = (self.source(), self.span(seconds));
        let head = format!(
            " <Record type=\"HKQuantityTypeIdentifier{name}\" {source} unit=\"{unit}\" {span} \
             value=\"{value:.digits$}\""
        );
        self.text(&head)?;
        self.written.records += 1;
        self.written.readings += 1;
        match name {
            "HeartRate" => self.text(
                ">\n  <MetadataEntry key=\"HKMetadataKeyHeartRateMotionContext\" value=\"1\"/>\n \
                 </Record>\n",
            ),
            "HeartRateVariabilitySDNN" => self.text(
                ">\n  <HeartRateVariabilityMetadataList>\n   \
                 <InstantaneousBeatsPerMinute bpm=\"61\" time=\"7:30:01,52 AM\"/>\n   \
                 <InstantaneousBeatsPerMinute bpm=\"63\" time=\"7:30:02,47 AM\"/>\n  \
                 </HeartRateVariabilityMetadataList>\n </Record>\n",
            ),
            _ => self.text("/>\n"),
        }
    }

    fn sleep(&mut self) -> io::Result<()> {
        const STATES: &[&str] = &[
            "InBed",
            "Awake",
            "AsleepUnspecified",
            "AsleepCore",
            "AsleepDeep",
            "AsleepREM",
        ];
        let state = STATES[self.generator.below(6) as usize];
        let minutes = i64::from(1 + self.generator.below(60));
        let (source, span) = (self.source(), self.span(minutes * 60));
        self.written.records += 1;
        self.written.readings += match state {
            "AsleepCore" | "AsleepDeep" | "AsleepREM" => 2,
            _ => 1,
        };
        self.text(&format!(
            " <Record type=\"HKCategoryTypeIdentifierSleepAnalysis\" {source} {span} \
             value=\"HKCategoryValueSleepAnalysis{state}\">\n  \
             <MetadataEntry key=\"HKTimeZone\" value=\"Europe/Berlin\"/>\n </Record>\n"
        ))
    }

    fn blood_pressure(&mut self) -> io::Result<()> {
        let (source, span) = (self.source(), self.span(0));
        let both = [
            ("Systolic", 105 + self.generator.below(40)),
            ("Diastolic", 60 + self.generator.below(30)),
        ];
        let records = both.map(|(which, value)| {
            format!(
                " <Record type=\"HKQuantityTypeIdentifierBloodPressure{which}\" {source} \
                 unit=\"mmHg\" {span} value=\"{value}\"/>\n"
            )
        });
        for record in &records {
            self.text(record)?;
        }
        self.text(&format!(
            " <Correlation type=\"HKCorrelationTypeIdentifierBloodPressure\" {source} {span}>\n"
        ))?;
        for record in &records {
            self.text(record)?;
        }
        self.text(" </Correlation>\n")?;
        self.written.records += 2;
        self.written.readings += 2;
        self.written.others += 1;
        Ok(())
    }

    fn others(&mut self) -> io::Result<()> {
        let (source, span) = (self.source(), self.span(1_800));
        self.text(&format!(
            " <Record type=\"HKCategoryTypeIdentifierAppleStandHour\" {source} {span} \
             value=\"HKCategoryValueAppleStandHourStood\"/>\n \
             <Workout workoutActivityType=\"HKWorkoutActivityTypeRunning\" duration=\"30\" \
             durationUnit=\"min\" {source} {span}>\n  \
             <MetadataEntry key=\"HKIndoorWorkout\" value=\"0\"/>\n  \
             <WorkoutRoute {source} {span}>\n   \
             <FileReference path=\"/workout-routes/route.gpx\"/>\n  </WorkoutRoute>\n \
             </Workout>\n \
             <ActivitySummary dateComponents=\"2023-01-05\" activeEnergyBurned=\"401.5\" \
             activeEnergyBurnedUnit=\"Cal\"/>\n"
        ))?;
        self.written.records += 1;
        self.written.rejected += 1;
        self.written.others += 2;
        Ok(())
    }
}

fn format_time(at: Timestamp) -> String {
    let zone = TimeZone::fixed(Offset::constant(1));
    Zoned::new(at, zone)
        .strftime("%Y-%m-%d %H:%M:%S %z")
        .to_string()
}

/// Linear congruential generator with Knuth's MMIX constants (The Art of Computer
/// Programming, volume 2, section 3.3.4). Its upper bits are random enough here.
struct Generator(u64);

impl Generator {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 33).unwrap_or(0) % bound
    }

    fn fraction(&mut self) -> f64 {
        f64::from(self.below(1 << 24)) / f64::from(1 << 24)
    }
}
