use std::borrow::Cow;
use std::io::BufRead;
use std::sync::Arc;

use jiff::Timestamp;
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Error, Reader};

use super::attributes::{MetadataEntries, RecordAttributes};
use super::budgeted_reader::BudgetedReader;
use super::error::ExportError;
use super::options::{ExportLimits, ExportOptions};
use super::record;
use crate::domain::UserId;
use crate::import::record::{ReadResult, RecordContent, Rejection, SourceRecord};
use crate::import::source_location::{SourceError, SourceLocation};

/// Elements of an export, in order.
///
/// Ends after the first [`SourceError`]; everything before it is valid.
pub struct AppleHealth {
    file: Arc<str>,
    length: Option<u64>,
    user_id: UserId,
    now: Timestamp,
    limits: ExportLimits,
    xml: Reader<BudgetedReader>,
    /// Offset of the root element, where the parser starts.
    root: u64,
    stage: Stage,
    tag: Vec<u8>,
    inner: Vec<u8>,
}

/// Progress of the parser.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    BeforeRoot,
    InRoot,
    AfterRoot,
    Finished,
}

/// Syntax error at a position of the parser.
struct XmlError {
    position: u64,
    problem: Cow<'static, str>,
}

impl XmlError {
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

    /// Returns the bytes of XML read so far.
    pub fn position(&self) -> u64 {
        self.root.saturating_add(self.xml.buffer_position())
    }

    /// Returns the length of the XML in bytes, if known. That of an archive is not
    /// verified before the end.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Returns the name of the XML in a [`SourceLocation`].
    pub fn file(&self) -> &Arc<str> {
        &self.file
    }

    fn location(&self, position: u64) -> SourceLocation {
        SourceLocation::new(Arc::clone(&self.file), self.root.saturating_add(position))
    }

    /// Reads the next element and returns its position and content.
    fn read_element(&mut self) -> Result<Option<(u64, RecordContent)>, XmlError> {
        loop {
            let (position, event) = next_event(&mut self.xml, &mut self.tag)?;
            let (tag, is_empty) = match event {
                Event::Start(tag) => (tag, false),
                Event::Empty(tag) => (tag, true),
                Event::End(_) => {
                    self.stage = Stage::AfterRoot;
                    continue;
                }
                Event::Eof if self.stage == Stage::AfterRoot => return Ok(None),
                Event::Eof => return Err(XmlError::at(position, "is truncated")),
                Event::DocType(_) => {
                    return Err(XmlError::at(position, "declares a document type too late"));
                }
                event if is_text(&event) => {
                    if self.stage != Stage::InRoot {
                        return Err(XmlError::at(position, "has text outside its root element"));
                    }
                    let rejection = Rejection::new("text", "is not allowed between elements");
                    return Ok(Some((
                        position,
                        RecordContent::Readings(vec![Err(rejection)]),
                    )));
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
                Stage::AfterRoot | Stage::Finished => {
                    return Err(XmlError::at(position, "has content after its root element"));
                }
            }
            let inner = if is_empty {
                ElementContext::default()
            } else {
                let parent = tag.name().into_inner();
                ElementContext::read(parent, &mut self.xml, &mut self.inner, self.limits.depth)?
            };
            let content = content(&tag, inner, &self.user_id, self.now);
            return Ok(Some((position, content)));
        }
    }
}

impl Iterator for AppleHealth {
    type Item = ReadResult;

    fn next(&mut self) -> Option<ReadResult> {
        if self.stage == Stage::Finished {
            return None;
        }
        match self.read_element() {
            Ok(Some((position, content))) => Some(Ok(SourceRecord {
                location: self.location(position),
                name: None,
                content,
            })),
            Ok(None) => {
                self.stage = Stage::Finished;
                None
            }
            Err(XmlError { position, problem }) => {
                self.stage = Stage::Finished;
                let problem =
                    format!("{problem}; everything before it was read: export again for the rest");
                Some(Err(SourceError::new(self.location(position), problem)))
            }
        }
    }
}

/// Returns the content of the element with this tag.
fn content(
    tag: &BytesStart<'_>,
    inner: ElementContext,
    user_id: &UserId,
    now: Timestamp,
) -> RecordContent {
    const MAX_NAME_CHARS: usize = 64;
    let name = tag.name().into_inner();
    if name != RECORD {
        let name: String = name.chars().take(MAX_NAME_CHARS).collect();
        return RecordContent::Other(name.into());
    }
    let readings = match inner.rejection {
        Some(rejection) => Err(rejection),
        None => RecordAttributes::from_tag(tag)
            .and_then(|attributes| record::readings(&attributes, &inner.entries, user_id, now)),
    };
    RecordContent::Readings(match readings {
        Ok(readings) => readings.into_iter().map(Ok).collect(),
        Err(rejection) => vec![Err(rejection)],
    })
}

const RECORD: &str = "Record";
const CORRELATION: &str = "Correlation";

/// Elements that occur directly in the root only, or a record, in a correlation.
/// Elsewhere they prove that an earlier tag lost its end.
const TOP_LEVEL: &[&str] = &[
    RECORD,
    CORRELATION,
    "Workout",
    "ActivitySummary",
    "ClinicalRecord",
    "Audiogram",
    "VisionPrescription",
    "HealthData",
];

/// Relevant content of an element.
#[derive(Default)]
struct ElementContext {
    entries: MetadataEntries,
    /// Reason to reject the surrounding record.
    rejection: Option<Rejection>,
}

impl ElementContext {
    /// Reads up to the end tag of the element `parent`.
    fn read(
        parent: &str,
        xml: &mut Reader<BudgetedReader>,
        buffer: &mut Vec<u8>,
        max_depth: usize,
    ) -> Result<Self, XmlError> {
        let mut context = Self::default();
        let mut depth = 0;
        loop {
            let (position, event) = next_event(xml, buffer)?;
            let (tag, is_empty) = match event {
                Event::Start(tag) => (tag, false),
                Event::Empty(tag) => (tag, true),
                Event::End(_) if depth == 0 => return Ok(context),
                Event::End(_) => {
                    depth -= 1;
                    continue;
                }
                Event::Eof => return Err(XmlError::at(position, "is truncated")),
                Event::DocType(_) => {
                    return Err(XmlError::at(position, "declares a document type too late"));
                }
                event if is_text(&event) => {
                    if parent != RECORD {
                        return Err(XmlError::at(position, "has text within an element"));
                    }
                    context.reject(Rejection::new("text", "is not allowed in a record"));
                    continue;
                }
                _ => continue,
            };
            let name = tag.name().into_inner();
            if TOP_LEVEL.contains(&name) && (parent, name) != (CORRELATION, RECORD) {
                return Err(XmlError::at(
                    position,
                    "has an element within an unclosed one",
                ));
            }
            if depth == 0
                && parent == RECORD
                && name == "MetadataEntry"
                && let Err(rejection) = context.entries.add(&tag)
            {
                context.reject(rejection);
            }
            if !is_empty {
                depth += 1;
                if depth >= max_depth {
                    return Err(XmlError::at(position, "nests deeper than any real export"));
                }
            }
        }
    }

    fn reject(&mut self, rejection: Rejection) {
        self.rejection.get_or_insert(rejection);
    }
}

/// Reads the next event and returns it with its position.
fn next_event<'b>(
    xml: &mut Reader<BudgetedReader>,
    buffer: &'b mut Vec<u8>,
) -> Result<(u64, Event<'b>), XmlError> {
    buffer.clear();
    let position = xml.buffer_position();
    xml.get_mut().refill();
    let event = xml.read_event_into(buffer).map_err(|error| XmlError {
        position,
        problem: problem(&error),
    })?;
    if let Event::Start(tag) | Event::Empty(tag) = &event
        && tag.contains('<')
    {
        // The parser extends a tag to the next ">", or beyond if a quotation mark
        // is missing. The tags that it would swallow must not go unnoticed.
        return Err(XmlError::at(position, "has an unclosed tag"));
    }
    Ok((position, event))
}

/// Describes an error of the parser without the content of the file.
fn problem(error: &Error) -> Cow<'static, str> {
    match error {
        Error::Io(error) => match error.get_ref() {
            Some(inner) if inner.is::<ExportError>() => inner.to_string().into(),
            _ => format!("cannot be read: {error}").into(),
        },
        Error::Syntax(syntax) => syntax.to_string().into(),
        Error::Encoding(_) => "has bytes that are not UTF-8".into(),
        Error::IllFormed(_) => "has mismatched tags or an invalid reference".into(),
        _ => "is not well-formed".into(),
    }
}

/// Returns whether the event is text other than white space.
fn is_text(event: &Event<'_>) -> bool {
    match event {
        Event::Text(text) => !text.trim_ascii().is_empty(),
        Event::CData(_) | Event::GeneralRef(_) => true,
        _ => false,
    }
}
