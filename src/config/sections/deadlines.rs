use std::ffi::OsString;
use std::time::Duration;

use crate::config::env_reader::EnvReader;
use crate::config::settings;
use crate::http::Deadlines;

/// Time that the request of a question has beyond the deadline of its answer,
/// which falls back to statistics in time.
const INSIGHT_MARGIN: Duration = Duration::from_secs(5);

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn deadlines(&mut self, insight_deadline: Duration) -> Deadlines {
        Deadlines {
            data: self.seconds(&settings::DATA_DEADLINE),
            bulk: self.seconds(&settings::BULK_DEADLINE),
            insights: insight_deadline + INSIGHT_MARGIN,
        }
    }
}
