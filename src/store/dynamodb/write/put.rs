//! Single conditional puts.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use crate::domain::Reading;
use crate::store::dynamodb::item;
use crate::store::dynamodb::schema::{CLIENT_RECORD_VERSION, DATA_ID, TYPE_KEY};
use crate::store::dynamodb::table_client::TableClient;
use crate::store::reading_store::WriteOutcome;
use crate::store::{PutResult, StoreError};

/// Puts `reading` with requests of its own.
pub(in crate::store::dynamodb) async fn put_single(
    table: &TableClient,
    reading: Reading,
) -> Result<PutResult, StoreError> {
    let put = table.put_one(&reading).await?;
    Ok(put.into_result(reading))
}

impl TableClient {
    /// Puts `reading` on the condition that its version requires.
    pub(super) async fn put_one(&self, reading: &Reading) -> Result<WriteOutcome, StoreError> {
        let condition = match reading.version() {
            None => PutCondition::Absent,
            Some(_) => PutCondition::Higher,
        };
        let stored = match self.put_if(reading, condition).await? {
            // The stored reading has the same version with other content: the later
            // write wins, unless a higher version was stored in between.
            Some(stored) if reading.replaces(&stored) => {
                self.put_if(reading, PutCondition::NotLower).await?
            }
            stored => stored,
        };
        Ok(stored.map_or(WriteOutcome::Written, WriteOutcome::Existing))
    }

    /// Writes `reading` if `condition` holds. Otherwise returns the stored reading.
    async fn put_if(
        &self,
        reading: &Reading,
        condition: PutCondition,
    ) -> Result<Option<Reading>, StoreError> {
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::encode(reading)))
            .condition_expression(condition.expression())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if condition.compares_version() {
            let version = reading.version().unwrap_or_default().get();
            request = request
                .expression_attribute_values(":version", AttributeValue::N(version.to_string()));
        }
        let Err(error) = request.send().await else {
            return Ok(None);
        };
        let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
        else {
            return Err(self.errors.classify("PutItem", error));
        };
        if let Some(stored) = &failed.item {
            let is_indexed = stored.contains_key(TYPE_KEY);
            let stored = self.decode(stored.into())?;
            if !is_indexed {
                self.add_index_key(&stored).await?;
            }
            return Ok(Some(stored));
        }
        // The endpoint does not return the stored item with the failed condition.
        let stored = self
            .get(&reading.measurement.user_id, reading.id)
            .await?
            .ok_or_else(|| {
                StoreError::unavailable("the stored reading was deleted concurrently")
            })?;
        Ok(Some(stored))
    }

    /// Rewrites a stored reading with the key of the index by type, unless that was
    /// done in the meantime.
    async fn add_index_key(&self, stored: &Reading) -> Result<(), StoreError> {
        let response = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::encode(stored)))
            .condition_expression(format!(
                "attribute_exists({DATA_ID}) AND attribute_not_exists({TYPE_KEY})"
            ))
            .send()
            .await;
        match response {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(self.errors.classify("PutItem", error)),
        }
    }
}

/// Condition on the stored item under which a put writes.
#[derive(Clone, Copy)]
enum PutCondition {
    /// Nothing is stored.
    Absent,
    /// Nothing is stored, or a lower version.
    Higher,
    /// Nothing is stored, or a version that is not higher.
    NotLower,
}

impl PutCondition {
    fn expression(self) -> String {
        let absent = format!("attribute_not_exists({DATA_ID})");
        match self {
            Self::Absent => absent,
            Self::Higher => format!("{absent} OR {CLIENT_RECORD_VERSION} < :version"),
            Self::NotLower => format!("{absent} OR {CLIENT_RECORD_VERSION} <= :version"),
        }
    }

    fn compares_version(self) -> bool {
        !matches!(self, Self::Absent)
    }
}
