//! Single conditional puts.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use crate::domain::Reading;
use crate::store::dynamodb::item;
use crate::store::dynamodb::schema::{AttributeMap, CLIENT_RECORD_VERSION, DATA_ID, TYPE_KEY};
use crate::store::dynamodb::table_client::TableClient;
use crate::store::dynamodb::write_mark::Unchanged;
use crate::store::reading_store::WriteOutcome;
use crate::store::{PutResult, StoreError};

/// Maximum number of times that a put replaces a reading of the same version. More are
/// needed only while others replace it too.
const MAX_REPLACEMENTS: usize = 4;

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
        let mut condition = match reading.version() {
            None => PutCondition::Absent,
            Some(_) => PutCondition::Higher,
        };
        let mut replacements = 0;
        loop {
            let Some(item) = self.put_if(reading, &condition).await? else {
                return Ok(WriteOutcome::Written);
            };
            let stored = self.decode_existing(&item).await?;
            // The stored reading has the same version with other content: the later
            // write wins. It replaces what it has seen, so that an attempt that arrives
            // late does not replace a later one. After some concurrent writes, this one
            // counts as written before the last of them, which replaced it.
            if !reading.replaces(&stored) {
                return Ok(WriteOutcome::Existing(stored));
            }
            if replacements == MAX_REPLACEMENTS {
                return Ok(WriteOutcome::Written);
            }
            replacements += 1;
            condition = PutCondition::Unchanged(Unchanged::since(&item));
        }
    }

    /// Writes `reading` if `condition` holds. Otherwise returns the stored item.
    async fn put_if(
        &self,
        reading: &Reading,
        condition: &PutCondition,
    ) -> Result<Option<AttributeMap>, StoreError> {
        let mut request = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::encode(reading)))
            .condition_expression(condition.expression())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        if let Some((name, value)) = condition.value(reading) {
            request = request.expression_attribute_values(name, value);
        }
        let Err(error) = request.send().await else {
            return Ok(None);
        };
        let Some(PutItemError::ConditionalCheckFailedException(failed)) = error.as_service_error()
        else {
            return Err(self.errors.classify("PutItem", error));
        };
        if let Some(stored) = &failed.item {
            return Ok(Some(stored.clone()));
        }
        // The item was deleted since it was seen, or the endpoint does not return it with
        // the failed condition.
        let stored = self
            .get_item(&reading.measurement.user_id, reading.id)
            .await?
            .ok_or_else(|| {
                StoreError::unavailable("the stored reading was deleted concurrently")
            })?;
        Ok(Some(stored))
    }

    /// Decodes the item of a reading that was put before, and completes it.
    async fn decode_existing(&self, item: &AttributeMap) -> Result<Reading, StoreError> {
        let stored = self.decode(item.into())?;
        if !item.contains_key(TYPE_KEY) {
            self.add_index_key(&stored).await?;
        }
        Ok(stored)
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
enum PutCondition {
    /// Nothing is stored.
    Absent,
    /// Nothing is stored, or a lower version.
    Higher,
    /// The item that was read is still stored.
    Unchanged(Unchanged),
}

impl PutCondition {
    fn expression(&self) -> String {
        let absent = format!("attribute_not_exists({DATA_ID})");
        match self {
            Self::Absent => absent,
            Self::Higher => format!("{absent} OR {CLIENT_RECORD_VERSION} < :version"),
            Self::Unchanged(unchanged) => unchanged.expression.clone(),
        }
    }

    /// Returns the placeholder in the expression and its value.
    fn value(&self, reading: &Reading) -> Option<(&'static str, AttributeValue)> {
        match self {
            Self::Absent => None,
            Self::Higher => {
                let version = reading.version()?.get().to_string();
                Some((":version", AttributeValue::N(version)))
            }
            Self::Unchanged(unchanged) => unchanged.value.clone(),
        }
    }
}
