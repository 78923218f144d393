//! How long a step of an attempt may take.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use super::failure::GeminiErrorKind;
use super::reasons::TimeoutKind;

/// How long the steps of one attempt may take.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    deadline: Instant,
    /// For the answer to begin.
    first_byte: Duration,
    /// For the answer to go on.
    idle: Duration,
}

impl Patience {
    /// For an attempt that begins now. Unless it is the last, a silent Gemini
    /// costs it half of what is left, so that another one still fits.
    pub(super) fn until(deadline: Instant, is_last: bool) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        Self {
            deadline,
            first_byte: if is_last { left } else { left / 2 },
            idle: if is_last { left } else { left / 4 },
        }
    }

    pub(super) async fn first_byte<T>(
        &self,
        step: impl Future<Output = T>,
    ) -> Result<T, GeminiErrorKind> {
        self.within(self.first_byte, TimeoutKind::FirstByte, step)
            .await
    }

    pub(super) async fn idle<T>(
        &self,
        step: impl Future<Output = T>,
    ) -> Result<T, GeminiErrorKind> {
        self.within(self.idle, TimeoutKind::Idle, step).await
    }

    async fn within<T>(
        &self,
        allowed: Duration,
        kind: TimeoutKind,
        step: impl Future<Output = T>,
    ) -> Result<T, GeminiErrorKind> {
        let end = Instant::now() + allowed;
        let (end, kind) = if end < self.deadline {
            (end, kind)
        } else {
            (self.deadline, TimeoutKind::Deadline)
        };
        timeout_at(end, step)
            .await
            .map_err(|_| GeminiErrorKind::Timeout(kind))
    }
}
