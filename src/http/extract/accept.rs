//! Content negotiation (RFC 9110, section 12.5.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

/// Returns the weight of each range of `Accept` that names `media_type`, in
/// order. Wildcards are skipped: clients that send them get the default format. A
/// weight that is not a number is an error.
pub fn weights(
    headers: &HeaderMap,
    media_type: &str,
) -> impl Iterator<Item = Result<f32, std::num::ParseFloatError>> {
    headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|accept| accept.to_str().ok())
        .flat_map(|accept| accept.split(','))
        .filter_map(move |range| {
            let mut parts = range.split(';').map(str::trim);
            let is_named = parts.next()?.eq_ignore_ascii_case(media_type);
            let weight = parts.find_map(|parameter| parameter.strip_prefix("q="));
            is_named.then(|| weight.map_or(Ok(1.0), str::parse))
        })
}
