use axum::http::Method;

/// Returns the method's name as a label, `other` for non-standard methods, which
/// clients can invent without bound.
pub fn method_label(method: &Method) -> &'static str {
    const METHODS: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    ];
    METHODS
        .into_iter()
        .find(|name| method == name)
        .unwrap_or("other")
}
