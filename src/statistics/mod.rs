//! Pure statistical functions, without I/O.
//!
//! Each formula names its source and is tested against values that are
//! published or computed by hand.

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
