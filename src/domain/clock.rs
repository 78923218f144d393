use jiff::Timestamp;

/// Where the present comes from, so that tests can choose it.
pub trait Clock: Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;
}
