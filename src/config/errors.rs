use std::fmt;

/// Everything that is wrong with the environment.
#[derive(Debug, Default, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(Vec<ConfigError>);

#[derive(Debug, PartialEq, Eq)]
struct ConfigError {
    variable: &'static str,
    advice: String,
}

impl ConfigErrors {
    pub(super) fn add(&mut self, variable: &'static str, advice: impl Into<String>) {
        let fault = ConfigError {
            variable,
            advice: advice.into(),
        };
        // One that two settings need is at fault once.
        if !self.0.contains(&fault) {
            self.0.push(fault);
        }
    }

    /// The variables that are at fault.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|fault| fault.variable)
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the configuration is not usable:")?;
        for ConfigError { variable, advice } in &self.0 {
            write!(formatter, "\n  {variable} {advice}")?;
        }
        Ok(())
    }
}
