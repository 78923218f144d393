use jiff::Timestamp;

/// Source of the current time, replaceable in tests.
pub trait Clock: Send + Sync + 'static {
    /// Returns the current time.
    fn now(&self) -> Timestamp;
}
