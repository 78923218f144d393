//! Leaves a model alone that is not well.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// So many failures in a row, with no success among them, open the circuit.
const THRESHOLD: u32 = 5;

/// Lets requests through while a model is well. When it is not, none go
/// through for a while, and then one at a time to see whether it is again.
pub(super) struct CircuitBreaker {
    state: Mutex<State>,
    open_for: Duration,
}

enum State {
    /// Requests go through.
    Closed { failures: u32 },
    /// None do until then; after that, one does.
    Open { until: Instant },
    /// One does.
    Probing,
}

/// Leave to send one request. What becomes of the request is told to it;
/// dropped without that, it leaves things as they were.
pub(super) struct Permit<'a> {
    breaker: &'a CircuitBreaker,
    is_probe: bool,
}

impl CircuitBreaker {
    pub(super) fn new(open_for: Duration) -> Self {
        Self {
            state: Mutex::new(State::Closed { failures: 0 }),
            open_for,
        }
    }

    /// Leave to send a request, if the circuit gives it.
    pub(super) fn admit(&self) -> Option<Permit<'_>> {
        let mut state = self.state();
        let is_probe = match *state {
            State::Closed { .. } => false,
            State::Open { until } if until <= Instant::now() => {
                *state = State::Probing;
                true
            }
            State::Open { .. } | State::Probing => return None,
        };
        Some(Permit {
            breaker: self,
            is_probe,
        })
    }

    /// Nothing that holds the lock can panic; if it did, the state would still
    /// be one of the three.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> State {
        State::Open {
            until: Instant::now() + self.open_for,
        }
    }
}

impl Permit<'_> {
    /// The model is well.
    pub(super) fn well(mut self) {
        let mut state = self.breaker.state();
        // A request from before the circuit opened does not close it.
        if self.is_probe || matches!(*state, State::Closed { .. }) {
            *state = State::Closed { failures: 0 };
        }
        drop(state);
        self.is_probe = false;
    }

    /// The model is not well. Tells whether that opens the circuit.
    pub(super) fn unwell(mut self) -> bool {
        let mut state = self.breaker.state();
        let opens = match *state {
            State::Closed { failures } if failures + 1 < THRESHOLD => {
                *state = State::Closed {
                    failures: failures + 1,
                };
                false
            }
            State::Closed { .. } => true,
            State::Open { .. } | State::Probing => self.is_probe,
        };
        if opens {
            *state = self.breaker.open();
        }
        drop(state);
        self.is_probe = false;
        opens
    }
}

impl Drop for Permit<'_> {
    /// A probe that ended without a verdict makes way for the next one.
    fn drop(&mut self) {
        if self.is_probe {
            *self.breaker.state() = State::Open {
                until: Instant::now(),
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A circuit that is open, and ready for a probe or not.
    fn opened(open_for: Duration) -> CircuitBreaker {
        let breaker = CircuitBreaker::new(open_for);
        for failure in 1..=THRESHOLD {
            let opens = breaker.admit().unwrap().unwell();
            assert_eq!(opens, failure == THRESHOLD);
        }
        breaker
    }

    #[test]
    fn five_failures_in_a_row_open_it() {
        let breaker = opened(Duration::from_secs(30));
        assert!(breaker.admit().is_none());
    }

    #[test]
    fn a_success_among_failures_keeps_it_closed() {
        let breaker = CircuitBreaker::new(Duration::from_secs(30));
        for _ in 0..2 {
            for _ in 1..THRESHOLD {
                assert!(!breaker.admit().unwrap().unwell());
            }
            breaker.admit().unwrap().well();
        }
        assert!(breaker.admit().is_some());
    }

    #[test]
    fn one_probe_at_a_time_and_its_success_closes() {
        let breaker = opened(Duration::ZERO);
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_none());
        probe.well();
        let first = breaker.admit();
        let second = breaker.admit();
        assert!(first.is_some() && second.is_some());
    }

    #[test]
    fn a_probe_that_fails_opens_it_again() {
        let mut breaker = opened(Duration::ZERO);
        breaker.open_for = Duration::from_secs(30);
        assert!(breaker.admit().unwrap().unwell());
        assert!(breaker.admit().is_none());
    }

    #[test]
    fn a_probe_without_a_verdict_makes_way_for_the_next() {
        let breaker = opened(Duration::ZERO);
        drop(breaker.admit().unwrap());
        let next = breaker.admit();
        assert!(next.is_some());
        assert!(breaker.admit().is_none());
    }

    #[test]
    fn requests_from_before_it_opened_change_nothing() {
        let breaker = CircuitBreaker::new(Duration::from_secs(30));
        let early: Vec<_> = (0..2).map(|_| breaker.admit().unwrap()).collect();
        for _ in 0..THRESHOLD {
            breaker.admit().unwrap().unwell();
        }
        let mut early = early.into_iter();
        early.next().unwrap().well();
        assert!(breaker.admit().is_none());
        assert!(!early.next().unwrap().unwell());
    }
}
