use axum::http::Method;

/// The method's name, unless the client made one up.
pub fn method_label(method: &Method) -> &'static str {
    const METHODS: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
    ];
    METHODS
        .into_iter()
        .find(|name| method == name)
        .unwrap_or("other")
}
