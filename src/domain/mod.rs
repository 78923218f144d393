//! What a reading is, apart from how it travels and where it is kept.
//!
//! Every type here is valid by construction: text becomes a [`UserId`] or a
//! [`MeasurementTime`] in one place, and nothing behind that place checks it
//! again. Nothing here knows of HTTP, of a database or of the system's clock.

mod canonical;
mod clock;
mod identifiers;
mod measurement_time;
mod metadata;
mod metadata_tags;
mod page;
mod reading;
mod reading_id;
mod validation_error;
mod value;
pub mod vocabulary;

pub use canonical::CanonicalWriter;
pub use clock::Clock;
pub use identifiers::{ClientRecordId, DataType, Unit, UserId};
pub use measurement_time::{MeasurementTime, MeasurementTimeParts};
pub use metadata::Metadata;
pub use metadata_tags::MetadataTags;
pub use page::{DataTypes, ListQuery, Order, Page, PageSize, TimeRange};
pub use reading::{ClientRecord, Measurement, Reading, RecordVersion};
pub use reading_id::{ReadingId, ReadingIdRange};
pub use validation_error::ValidationError;
pub use value::ReadingValue;
