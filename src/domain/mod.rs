//! Readings and their parts, independent of transport and storage.
//!
//! Every type is valid by construction: text is parsed into a [`UserId`] or a
//! [`MeasurementTime`] once, and never checked again. Nothing here depends on HTTP, a
//! database or the system clock.

mod canonical;
mod clock;
mod emergency_number;
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
pub use emergency_number::EmergencyNumber;
pub use identifiers::{ClientRecordId, DataType, Unit, UserId};
pub use measurement_time::{MeasurementTime, MeasurementTimeParts};
pub use metadata::Metadata;
pub use metadata_tags::MetadataTags;
pub use page::{DataTypes, ListQuery, Order, Page, PageSize, TimeRange, UnreadableReading};
pub use reading::{ClientRecord, Measurement, Reading, RecordVersion};
pub use reading_id::{ReadingId, ReadingIdRange};
pub use validation_error::ValidationError;
pub use value::ReadingValue;
