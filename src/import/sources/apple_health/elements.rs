use std::borrow::Cow;
use std::io::BufRead;
use std::sync::Arc;

use jiff::Timestamp;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader};

use super::attributes::{Attributes, Entries};
use super::budgeted_reader::BudgetedReader;
use super::error::ExportError;
use super::options::{ExportLimits, ExportOptions};
use super::record;
use crate::domain::UserId;
use crate::import::record::{Content, Found, Record, Rejection};
use crate::import::source_location::{SourceError, SourceLocation};

/// The elements of an export, one after another.
///
/// Ends after the first [`SourceError`]; what was given before it is sound.
pub struct AppleHealth {
    file: Arc<str>,
    length: Option<u64>,
    user_id: UserId,
    now: Timestamp,
    limits: ExportLimits,
    xml: Reader<BudgetedReader>,
    /// The offset of its first element, where the parser begins.
    root: u64,
    stage: Stage,
    tag: Vec<u8>,
    inner: Vec<u8>,
}

/// How far reading has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    BeforeRoot,
    InRoot,
    AfterRoot,
    Over,
}

/// What is wrong at a position of the parser.
struct Fault {
    position: u64,
    problem: Cow<'static, str>,
}

impl Fault {
    fn at(position: u64, problem: &'static str) -> Self {
        Self {
            position,
            problem: problem.into(),
        }
    }
}

impl AppleHealth {
    pub(super) fn new(
        file: Arc<str>,
        length: Option<u64>,
        root: u64,
        source: Box<dyn BufRead + Send>,
        options: &ExportOptions,
    ) -> Self {
        let source = BudgetedReader::new(source, options.limits.markup);
        Self {
            file,
            length,
            user_id: options.user_id.clone(),
            now: options.now,
            limits: options.limits,
            xml: Reader::from_reader(source),
            root,
            stage: Stage::BeforeRoot,
            tag: Vec::new(),
            inner: Vec::new(),
        }
    }

    /// Bytes of XML read so far.
    pub fn position(&self) -> u64 {
        self.root.saturating_add(self.xml.buffer_position())
    }

    /// Bytes of XML in all, if that is known; an archive says how many, true or
    /// not.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// What the XML is called in a [`SourceLocation`].
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    fn place(&self, position: u64) -> SourceLocation {
        SourceLocation::new(Arc::clone(&self.file), self.root.saturating_add(position))
    }

    /// What the next element holds, and its position.
    fn read_element(&mut self) -> Result<Option<(u64, Content)>, Fault> {
        loop {
            let (position, event) = event(&mut self.xml, &mut self.tag)?;
            let (tag, is_empty) = match event {
                Event::Start(tag) => (tag, false),
                Event::Empty(tag) => (tag, true),
                Event::End(_) => {
                    self.stage = Stage::AfterRoot;
                    continue;
                }
                Event::Eof if self.stage == Stage::AfterRoot => return Ok(None),
                Event::Eof => return Err(Fault::at(position, "ends too early: it was cut off")),
                Event::DocType(_) => {
                    return Err(Fault::at(position, "declares a document type too late"));
                }
                event if is_text(&event) => {
                    if self.stage != Stage::InRoot {
                        return Err(Fault::at(position, "has text outside of its root"));
                    }
                    let rejection = Rejection::because("text", "stands between elements");
                    return Ok(Some((position, Content::Readings(vec![Err(rejection)]))));
                }
                _ => continue,
            };
            match self.stage {
                Stage::InRoot => {}
                Stage::BeforeRoot => {
                    self.stage = if is_empty {
                        Stage::AfterRoot
                    } else {
                        Stage::InRoot
                    };
                    continue;
                }
                Stage::AfterRoot | Stage::Over => {
                    return Err(Fault::at(position, "goes on after its root"));
                }
            }
            let inside = if is_empty {
                ElementContext::default()
            } else {
                let parent = tag.name().into_inner();
                ElementContext::read(parent, &mut self.xml, &mut self.inner, self.limits.depth)?
            };
            let content = content(&tag, inside, &self.user_id, self.now);
            return Ok(Some((position, content)));
        }
    }
}

impl Iterator for AppleHealth {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        if self.stage == Stage::Over {
            return None;
        }
        match self.read_element() {
            Ok(Some((position, content))) => Some(Ok(Record {
                place: self.place(position),
                name: None,
                content,
            })),
            Ok(None) => {
                self.stage = Stage::Over;
                None
            }
            Err(Fault { position, problem }) => {
                self.stage = Stage::Over;
                let problem =
                    format!("{problem}; what stands before it was read: export again for the rest");
                Some(Err(SourceError::new(self.place(position), problem)))
            }
        }
    }
}

/// What the element with this tag holds.
fn content(
    tag: &BytesStart<'_>,
    inside: ElementContext,
    user_id: &UserId,
    now: Timestamp,
) -> Content {
    /// The most characters of a name that are kept.
    const LONGEST_NAME: usize = 64;
    let name = tag.name().into_inner();
    if name != RECORD {
        let name: String = name.chars().take(LONGEST_NAME).collect();
        return Content::Other(name.into());
    }
    let readings = match inside.rejection {
        Some(rejection) => Err(rejection),
        None => Attributes::of(tag)
            .and_then(|attributes| record::readings(&attributes, &inside.entries, user_id, now)),
    };
    Content::Readings(match readings {
        Ok(readings) => readings.into_iter().map(Ok).collect(),
        Err(rejection) => vec![Err(rejection)],
    })
}

const RECORD: &str = "Record";
const CORRELATION: &str = "Correlation";

/// What only stands directly within the root, or, a record, in a correlation.
/// Elsewhere, a tag before it lost its end.
const OUTERMOST: &[&str] = &[
    RECORD,
    CORRELATION,
    "Workout",
    "ActivitySummary",
    "ClinicalRecord",
    "Audiogram",
    "VisionPrescription",
    "HealthData",
];

/// What stands within an element.
#[derive(Default)]
struct ElementContext {
    entries: Entries,
    /// Why a record that it stands in cannot be a reading.
    rejection: Option<Rejection>,
}

impl ElementContext {
    /// Reads up to the end of the element `parent`.
    fn read(
        parent: &str,
        xml: &mut Reader<BudgetedReader>,
        buffer: &mut Vec<u8>,
        deepest: usize,
    ) -> Result<Self, Fault> {
        let mut inside = Self::default();
        let mut depth = 0;
        loop {
            let (position, event) = event(xml, buffer)?;
            let (tag, is_empty) = match event {
                Event::Start(tag) => (tag, false),
                Event::Empty(tag) => (tag, true),
                Event::End(_) if depth == 0 => return Ok(inside),
                Event::End(_) => {
                    depth -= 1;
                    continue;
                }
                Event::Eof => return Err(Fault::at(position, "ends too early: it was cut off")),
                Event::DocType(_) => {
                    return Err(Fault::at(position, "declares a document type too late"));
                }
                event if is_text(&event) => {
                    if parent != RECORD {
                        return Err(Fault::at(position, "has text within an element"));
                    }
                    inside.reject(Rejection::because("text", "stands in a record"));
                    continue;
                }
                _ => continue,
            };
            let name = tag.name().into_inner();
            if OUTERMOST.contains(&name) && (parent, name) != (CORRELATION, RECORD) {
                return Err(Fault::at(
                    position,
                    "has an element within one that is not closed",
                ));
            }
            if depth == 0
                && parent == RECORD
                && name == "MetadataEntry"
                && let Err(rejection) = inside.entries.add(&tag)
            {
                inside.reject(rejection);
            }
            if !is_empty {
                depth += 1;
                if depth >= deepest {
                    return Err(Fault::at(position, "nests deeper than any export"));
                }
            }
        }
    }

    fn reject(&mut self, rejection: Rejection) {
        self.rejection.get_or_insert(rejection);
    }
}

/// The next event and its position.
fn event<'b>(
    xml: &mut Reader<BudgetedReader>,
    buffer: &'b mut Vec<u8>,
) -> Result<(u64, Event<'b>), Fault> {
    buffer.clear();
    let position = xml.buffer_position();
    xml.get_mut().refill();
    let event = xml.read_event_into(buffer).map_err(|error| Fault {
        position,
        problem: problem(&error),
    })?;
    if let Event::Start(tag) | Event::Empty(tag) = &event
        && tag.contains('<')
    {
        // The parser lets a tag go on to the next ">" or over further ones
        // where a quotation mark is lost; the tags that it would swallow are
        // not to go unnoticed.
        return Err(Fault::at(position, "has a tag that is not closed"));
    }
    Ok((position, event))
}

/// What the parser says, without what the file says.
fn problem(error: &Error) -> Cow<'static, str> {
    match error {
        Error::Io(error) => match error.get_ref() {
            Some(inner) if inner.is::<ExportError>() => inner.to_string().into(),
            _ => format!("cannot be read: {error}").into(),
        },
        Error::Syntax(syntax) => syntax.to_string().into(),
        Error::Encoding(_) => "has bytes that are not UTF-8".into(),
        Error::IllFormed(_) => "has tags that do not match, or a reference that is none".into(),
        _ => "is not well-formed".into(),
    }
}

/// Whether it is text other than white space.
fn is_text(event: &Event<'_>) -> bool {
    match event {
        Event::Text(text) => !text.trim_ascii().is_empty(),
        Event::CData(_) | Event::GeneralRef(_) => true,
        _ => false,
    }
}
