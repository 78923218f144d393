//! Trace context of a request, from its headers.
//!
//! Only headers that match their specification exactly are accepted, so that clients
//! cannot inject text into logs.

use std::fmt;
use std::str;

/// Header that a context is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceSource {
    /// `traceparent`.
    W3c,
    /// `X-Amzn-Trace-Id`.
    Amazon,
}

/// Trace that a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    /// Id of the trace; never zero.
    pub trace_id: u128,
    /// Id of the client's span, if known; never zero.
    pub parent_id: Option<u64>,
    /// True if the client samples this trace.
    pub sampled: bool,
    /// Header that it is from.
    pub source: TraceSource,
}

impl TraceContext {
    /// Parses the headers `traceparent` and `X-Amzn-Trace-Id`, of which the first
    /// takes precedence.
    pub fn read(traceparent: Option<&[u8]>, amazon: Option<&[u8]>) -> Option<Self> {
        traceparent
            .and_then(Self::from_w3c)
            .or_else(|| amazon.and_then(Self::from_amazon))
    }

    /// Parses `traceparent`.
    /// <https://www.w3.org/TR/trace-context/#traceparent-header>
    fn from_w3c(header: &[u8]) -> Option<Self> {
        // Later versions append fields after a dash.
        let (known, rest) = header.split_at_checked(55)?;
        let mut parts = known.split(|&byte| byte == b'-');
        let version = parts.next().filter(|part| part.len() == 2)?;
        let is_known = version == b"00";
        let is_later = is_lower_hex(version) && version != b"ff" && !is_known;
        if !(is_known && rest.is_empty() || is_later && matches!(rest, [] | [b'-', ..])) {
            return None;
        }
        let trace_id = hex(parts.next()?, 32)?;
        let parent_id = u64::try_from(hex(parts.next()?, 16)?).ok()?;
        let flags = parts.next().filter(|part| part.len() == 2)?;
        if !is_lower_hex(flags) || parts.next().is_some() {
            return None;
        }
        let flags = u8::from_str_radix(str::from_utf8(flags).ok()?, 16).ok()?;
        Some(Self {
            trace_id,
            parent_id: Some(parent_id),
            sampled: flags & 1 == 1,
            source: TraceSource::W3c,
        })
    }

    /// Parses `X-Amzn-Trace-Id`: `Root=1-<8 digits>-<24 digits>` with optional
    /// `Parent=<16 digits>` and `Sampled=0|1`. Other fields, such as a load balancer's
    /// `Self`, are ignored.
    /// <https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader>
    fn from_amazon(header: &[u8]) -> Option<Self> {
        let fields = header.split(|&byte| byte == b';');
        let (mut trace_id, mut parent_id, mut sampled) = (None, None, true);
        for field in fields.map(<[u8]>::trim_ascii).take(8) {
            if let Some(root) = field.strip_prefix(b"Root=1-") {
                let (time, unique) = root.split_at_checked(8)?;
                let (time, unique) = (digits(time, 8)?, digits(unique.strip_prefix(b"-")?, 24)?);
                trace_id = Some(time << 96 | unique).filter(|&id| id != 0);
            } else if let Some(parent) = field.strip_prefix(b"Parent=") {
                parent_id = u64::try_from(hex(parent, 16)?).ok();
            } else if field == b"Sampled=0" {
                sampled = false;
            }
        }
        Some(Self {
            trace_id: trace_id?,
            parent_id,
            sampled,
            source: TraceSource::Amazon,
        })
    }
}

/// Formats the trace id as 32 hexadecimal digits.
impl fmt::Display for TraceContext {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.trace_id)
    }
}

fn is_lower_hex(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// Parses exactly `length` lower-case hexadecimal digits.
fn digits(text: &[u8], length: usize) -> Option<u128> {
    let text = str::from_utf8(text).ok()?;
    (text.len() == length && is_lower_hex(text.as_bytes()))
        .then(|| u128::from_str_radix(text, 16).ok())
        .flatten()
}

/// Parses an id, which must not be zero.
fn hex(text: &[u8], length: usize) -> Option<u128> {
    digits(text, length).filter(|&number| number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
    const PARENT: u64 = 0x00f0_67aa_0ba9_02b7;

    #[test]
    fn traceparent_is_parsed_by_its_specification() {
        let read = |header: &str| TraceContext::read(Some(header.as_bytes()), None);
        let context = |sampled| {
            Some(TraceContext {
                trace_id: TRACE,
                parent_id: Some(PARENT),
                sampled,
                source: TraceSource::W3c,
            })
        };
        let known = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        assert_eq!(read(&format!("00-{known}-01")), context(true));
        assert_eq!(read(&format!("00-{known}-00")), context(false));
        assert_eq!(read(&format!("cc-{known}-03-more")), context(true));
        for broken in [
            String::new(),
            format!("00-{known}"),
            format!("00-{known}-1"),
            format!("00-{known}-01-more"),
            format!("00-{known}-01 "),
            format!("cc-{known}-01more"),
            format!("ff-{known}-01"),
            format!("00-{}-01", known.to_uppercase()),
            format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)),
            format!("00-4bf92f3577b34da6a3ce929d0e0e4736-{}-01", "0".repeat(16)),
            format!("00-+{}-01", &known[1..]),
            format!("00-{known}-0é"),
        ] {
            assert_eq!(read(&broken), None, "{broken}");
        }
    }

    #[test]
    fn amazon_header_is_parsed_with_unknown_fields() {
        let read = |header: &str| TraceContext::read(None, Some(header.as_bytes()));
        let root = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736";
        let context = read(root).unwrap();
        assert_eq!((context.trace_id, context.parent_id), (TRACE, None));
        assert_eq!(context.to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        let balanced = format!("Self=1-67891234-12456789abcdef012345678;{root}");
        assert_eq!(read(&balanced), Some(context));
        let whole = read(&format!("{root}; Parent=00f067aa0ba902b7; Sampled=0")).unwrap();
        assert_eq!((whole.parent_id, whole.sampled), (Some(PARENT), false));
        for broken in ["", "Root=1-x", "Root=canary", &root[..root.len() - 1]] {
            assert_eq!(read(broken), None, "{broken}");
        }
        assert_eq!(read(&format!("{root}0")), None);
        assert_eq!(read(&format!("{root};Parent=canary")), None);
    }

    #[test]
    fn traceparent_takes_precedence() {
        let w3c = b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let amazon = b"Root=1-00000001-77b34da6a3ce929d0e0e4736";
        let read = |w3c: &[u8]| TraceContext::read(Some(w3c), Some(amazon)).unwrap().source;
        assert_eq!(read(w3c), TraceSource::W3c);
        assert_eq!(read(b"broken"), TraceSource::Amazon);
    }
}
