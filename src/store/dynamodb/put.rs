//! Single conditional puts.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};

use super::schema::{CLIENT_RECORD_VERSION, DATA_ID, TYPE_KEY};
use super::{DynamoDbStore, item};
use crate::domain::Reading;
use crate::store::{Put, PutResult, ReadingStore as _, StoreError};

impl DynamoDbStore {
    /// Puts `reading`, with calls of its own.
    pub(super) async fn put_by_itself(&self, reading: Reading) -> Result<PutResult, StoreError> {
        let put = self.put_one(&reading).await?;
        Ok(put.outcome(reading))
    }

    /// Puts `reading` on the condition that its version names.
    pub(super) async fn put_one(&self, reading: &Reading) -> Result<Put, StoreError> {
        let condition = match reading.version() {
            None => Condition::Absent,
            Some(_) => Condition::Higher,
        };
        let held = match self.put_if(reading, condition).await? {
            // The same version says something else: the later word counts,
            // unless a higher version has come in between.
            Some(held) if reading.replaces(&held) => {
                self.put_if(reading, Condition::NotLower).await?
            }
            held => held,
        };
        Ok(held.map_or(Put::Written, Put::Stands))
    }

    /// Writes `reading` if `condition` holds of what is held; else gives back
    /// what is held.
    async fn put_if(
        &self,
        reading: &Reading,
        condition: Condition,
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
            return Err(self.faults.classify("PutItem", error));
        };
        if let Some(held) = &failed.item {
            let is_indexed = held.contains_key(TYPE_KEY);
            let held = self.decode(held.into())?;
            if !is_indexed {
                self.index(&held).await?;
            }
            return Ok(Some(held));
        }
        // An endpoint that does not send the held item along.
        let held = self
            .get(&reading.measurement.user_id, reading.id)
            .await?
            .ok_or_else(|| StoreError::unavailable("the held reading was deleted meanwhile"))?;
        Ok(Some(held))
    }

    /// Writes a reading that is held without the key of the index by type once
    /// more, with it, unless that has been done meanwhile.
    async fn index(&self, held: &Reading) -> Result<(), StoreError> {
        let answer = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item::encode(held)))
            .condition_expression(format!(
                "attribute_exists({DATA_ID}) AND attribute_not_exists({TYPE_KEY})"
            ))
            .send()
            .await;
        match answer {
            Ok(_) => Ok(()),
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(PutItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(self.faults.classify("PutItem", error)),
        }
    }
}

/// When a put may take the place of what is held under its key.
#[derive(Clone, Copy)]
enum Condition {
    /// Nothing is held.
    Absent,
    /// Nothing is held, or a lower version.
    Higher,
    /// Nothing is held, or a version that is not higher.
    NotLower,
}

impl Condition {
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
