//! Circuit breaker that skips a model that keeps failing.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Consecutive failures that open the circuit.
const FAILURE_THRESHOLD: u32 = 5;

/// Circuit breaker: open after [`FAILURE_THRESHOLD`] consecutive failures,
/// half-open after a while, when one probe at a time is admitted. A successful
/// probe closes the circuit.
pub(super) struct CircuitBreaker {
    state: Mutex<BreakerState>,
    open_for: Duration,
}

enum BreakerState {
    /// Requests are admitted.
    Closed { failures: u32 },
    /// No request is admitted until then; after that, one probe is.
    Open { until: Instant },
    /// Half-open: a probe is in flight.
    Probing,
}

/// Permission to send one request. Its holder reports the result; dropped
/// without one, it leaves the circuit as it was.
pub(super) struct BreakerPermit<'a> {
    breaker: &'a CircuitBreaker,
    is_probe: bool,
}

impl CircuitBreaker {
    /// Creates a closed circuit, which once opened admits no request for
    /// `open_for`.
    pub(super) fn new(open_for: Duration) -> Self {
        Self {
            state: Mutex::new(BreakerState::Closed { failures: 0 }),
            open_for,
        }
    }

    /// Admits a request, or returns `None` while the circuit is open.
    pub(super) fn admit(&self) -> Option<BreakerPermit<'_>> {
        let mut state = self.state();
        let is_probe = match *state {
            BreakerState::Closed { .. } => false,
            BreakerState::Open { until } if until <= Instant::now() => {
                *state = BreakerState::Probing;
                true
            }
            BreakerState::Open { .. } | BreakerState::Probing => return None,
        };
        Some(BreakerPermit {
            breaker: self,
            is_probe,
        })
    }

    /// Locks the state. Poisoning is ignored: every state is valid by itself.
    fn state(&self) -> MutexGuard<'_, BreakerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn opened(&self) -> BreakerState {
        BreakerState::Open {
            until: Instant::now() + self.open_for,
        }
    }
}

impl BreakerPermit<'_> {
    /// Records a success.
    pub(super) fn record_success(mut self) {
        let mut state = self.breaker.state();
        // A request admitted before the circuit opened does not close it.
        if self.is_probe || matches!(*state, BreakerState::Closed { .. }) {
            *state = BreakerState::Closed { failures: 0 };
        }
        drop(state);
        self.is_probe = false;
    }

    /// Records a failure. Returns true if it opened the circuit.
    pub(super) fn record_failure(mut self) -> bool {
        let mut state = self.breaker.state();
        let opens = match *state {
            BreakerState::Closed { failures } if failures + 1 < FAILURE_THRESHOLD => {
                *state = BreakerState::Closed {
                    failures: failures + 1,
                };
                false
            }
            BreakerState::Closed { .. } => true,
            BreakerState::Open { .. } | BreakerState::Probing => self.is_probe,
        };
        if opens {
            *state = self.breaker.opened();
        }
        drop(state);
        self.is_probe = false;
        opens
    }
}

impl Drop for BreakerPermit<'_> {
    /// Admits the next probe if this one ended without a result.
    fn drop(&mut self) {
        if self.is_probe {
            *self.breaker.state() = BreakerState::Open {
                until: Instant::now(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns an open circuit.
    fn opened(open_for: Duration) -> CircuitBreaker {
        let breaker = CircuitBreaker::new(open_for);
        for failure in 1..=FAILURE_THRESHOLD {
            let opens = breaker.admit().unwrap().record_failure();
            assert_eq!(opens, failure == FAILURE_THRESHOLD);
        }
        breaker
    }

    #[test]
    fn five_consecutive_failures_open_the_circuit() {
        let breaker = opened(Duration::from_secs(30));
        assert!(breaker.admit().is_none());
    }

    #[test]
    fn success_resets_the_failure_count() {
        let breaker = CircuitBreaker::new(Duration::from_secs(30));
        for _ in 0..2 {
            for _ in 1..FAILURE_THRESHOLD {
                assert!(!breaker.admit().unwrap().record_failure());
            }
            breaker.admit().unwrap().record_success();
        }
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn half_open_circuit_admits_one_probe_whose_success_closes_it() {
        let breaker = opened(Duration::ZERO);
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_none());
        probe.record_success();
        let first = breaker.admit();
        let second = breaker.admit();
        assert!(first.is_some() && second.is_some());
    }

    #[test]
    fn failed_probe_reopens_the_circuit() {
        let mut breaker = opened(Duration::ZERO);
        breaker.open_for = Duration::from_secs(30);
        assert!(breaker.admit().unwrap().record_failure());
        assert!(breaker.admit().is_none());
    }

    #[test]
    fn probe_dropped_without_result_admits_the_next() {
        let breaker = opened(Duration::ZERO);
        drop(breaker.admit().unwrap());
        let next = breaker.admit();
        assert!(next.is_some());
        assert!(breaker.admit().is_none());
    }

    #[test]
    fn results_of_requests_admitted_before_opening_are_ignored() {
        let breaker = CircuitBreaker::new(Duration::from_secs(30));
        let early: Vec<_> = (0..2).map(|_| breaker.admit().unwrap()).collect();
        for _ in 0..FAILURE_THRESHOLD {
            breaker.admit().unwrap().record_failure();
        }
        let mut early = early.into_iter();
        early.next().unwrap().record_success();
        assert!(breaker.admit().is_none());
        assert!(!early.next().unwrap().record_failure());
    }
}
