use std::ffi::OsString;

use url::{Origin, Url};

use crate::config::Environment;
use crate::config::env_reader::EnvReader;

/// The origins whose pages may talk to the service from a browser.
#[derive(Debug, PartialEq, Eq)]
pub enum CorsConfig {
    /// Every one.
    Any,
    /// These, such as `https://app.example.com`; mostly none.
    Only(Vec<String>),
}

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn cors(&mut self, environment: Environment) -> CorsConfig {
        const NAME: &str = "CORS_ALLOWED_ORIGINS";
        let Some(list) = self.text(NAME) else {
            return match environment {
                Environment::Development => CorsConfig::Any,
                Environment::Production => CorsConfig::Only(Vec::new()),
            };
        };
        if list.trim() == "*" {
            return CorsConfig::Any;
        }
        let origins: Vec<String> = list.split(',').map(|text| text.trim().to_owned()).collect();
        if !origins.iter().all(|text| is_origin(text)) {
            self.error(
                NAME,
                "must be * or origins separated by commas, such as https://app.example.com: without a path, and as browsers send them",
            );
        }
        CorsConfig::Only(origins)
    }
}

/// Whether the text is an origin as a browser writes it: in lower case, without
/// a default port, a path or a final slash.
fn is_origin(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| {
        let origin = url.origin();
        matches!(origin, Origin::Tuple(..))
            && origin.ascii_serialization() == text
            && !text.contains('*')
    })
}
