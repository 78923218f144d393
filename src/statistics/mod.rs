//! Statistics of numbers, without any input or output.

mod summary;

pub use summary::Summary;
