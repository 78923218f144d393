//! Statistics of numbers, without any input or output.
//!
//! Each formula names its source; each is tested against values computed by
//! hand or published.

mod baseline;
mod glucose;
mod percentiles;
mod summary;
mod trend;

pub use baseline::{Baseline, OUTLIER_SCORE};
pub use glucose::{GlucoseControl, VERY_LOW_MG_PER_DL};
pub use percentiles::{Percentiles, median, standard_deviation};
pub use summary::Summary;
pub use trend::{Direction, Strength, Trend};
