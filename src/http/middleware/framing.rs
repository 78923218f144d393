use std::net::Ipv6Addr;

use axum::extract::Request;
use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, Version};

use crate::http::problem::ApiError;

/// Checks the rules of HTTP/1.1 that hyper leaves to the application.
///
/// A proxy in front may read such a request differently, so the connection must be
/// closed.
///
/// # Errors
/// If `Host` or `Transfer-Encoding` are not acceptable.
pub fn check_framing(request: &Request) -> Result<(), ApiError> {
    if !has_valid_host(request.headers(), request.version()) {
        return Err(ApiError::InvalidHost);
    }
    if !has_known_transfer_encoding(request.headers()) {
        return Err(ApiError::UnsupportedTransferEncoding);
    }
    Ok(())
}

/// Returns whether there is exactly one `Host` and it is valid, as RFC 9112, section
/// 3.2 requires for every form of the request target. HTTP/1.0 has no such header.
fn has_valid_host(headers: &HeaderMap, version: Version) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) => version < Version::HTTP_11,
        (Some(host), None) => is_host(host.as_bytes()),
        (Some(_), Some(_)) => false,
    }
}

/// Returns whether `value` is `uri-host [ ":" port ]` (RFC 3986, section 3.2.2). The
/// name may be empty.
fn is_host(value: &[u8]) -> bool {
    let Ok(value) = std::str::from_utf8(value) else {
        return false;
    };
    let port = if let Some(literal) = value.strip_prefix('[') {
        let Some((address, rest)) = literal.split_once(']') else {
            return false;
        };
        if address.parse::<Ipv6Addr>().is_err() {
            return false;
        }
        rest.strip_prefix(':').or(rest.is_empty().then_some(""))
    } else {
        let (name, port) = value.split_once(':').unwrap_or((value, ""));
        let is_name_byte =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;=".contains(&byte);
        name.bytes().all(is_name_byte).then_some(port)
    };
    port.is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Returns whether the body has no transfer encoding, or is `chunked` only. hyper
/// would pass on the still encoded content of others, such as `gzip, chunked`.
fn has_known_transfer_encoding(headers: &HeaderMap) -> bool {
    let mut encodings = headers.get_all(TRANSFER_ENCODING).iter();
    let is_chunked = |encoding: &HeaderValue| encoding.as_bytes().eq_ignore_ascii_case(b"chunked");
    match (encodings.next(), encodings.next()) {
        (None, _) => true,
        (Some(encoding), None) => is_chunked(encoding),
        (Some(_), Some(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_is_name_or_address_with_optional_port() {
        for valid in [
            "",
            "x",
            "api.example.com",
            "a_b:80",
            "10.0.0.1:",
            "[::1]",
            "[::1]:8080",
        ] {
            assert!(is_host(valid.as_bytes()), "{valid}");
        }
        for invalid in [
            "a b", "a/b", "user@x", "x:y", "x:1:2", "[::1", "[x]", "[::1]80", "a,b c", "x?", "é",
        ] {
            assert!(!is_host(invalid.as_bytes()), "{invalid}");
        }
    }
}
