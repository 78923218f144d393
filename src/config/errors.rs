use std::fmt;

use super::settings::Setting;

/// All invalid variables of the environment. The values are never included, as
/// any of them may be a secret.
#[derive(Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(Vec<ConfigError>);

#[derive(Debug, PartialEq, Eq)]
struct ConfigError {
    variable: &'static str,
    remedy: String,
}

impl ConfigErrors {
    pub(super) fn push(&mut self, setting: &Setting, remedy: impl Into<String>) {
        let error = ConfigError {
            variable: setting.name(),
            remedy: remedy.into(),
        };
        // A variable such as AWS_REGION is read by several sections.
        if !self.0.contains(&error) {
            self.0.push(error);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Names of the invalid variables.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|error| error.variable)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration is invalid:")?;
        for ConfigError { variable, remedy } in &self.0 {
            write!(formatter, "\n  {variable} {remedy}")?;
        }
        Ok(())
    }
}
