use std::ffi::OsString;

use crate::config::StoreConfig;
use crate::config::env_reader::EnvReader;
use crate::config::settings;
use crate::store::DynamoDbSettings;

impl<V: Fn(&str) -> Option<OsString>> EnvReader<V> {
    pub(in crate::config) fn store(&mut self) -> StoreConfig {
        let endpoint = self.endpoint(&settings::DYNAMODB_ENDPOINT);
        let kind = match self.text(&settings::CLARITY_STORE) {
            None if endpoint.is_some() => "dynamodb".to_owned(),
            None => self.value_or_default(&settings::CLARITY_STORE),
            Some(kind) => kind,
        };
        match kind.as_str() {
            "dynamodb" => StoreConfig::DynamoDb(self.dynamodb(endpoint)),
            "embedded" => self.embedded(),
            _ => {
                self.error(&settings::CLARITY_STORE, "must be embedded or dynamodb");
                // Checks the table's variables too where they would be needed.
                match endpoint.is_some() || self.is_production() {
                    true => StoreConfig::DynamoDb(self.dynamodb(endpoint)),
                    false => self.embedded(),
                }
            }
        }
    }

    fn embedded(&self) -> StoreConfig {
        StoreConfig::Embedded {
            directory: self.path(&settings::CLARITY_DATA_DIR).into(),
        }
    }

    pub(in crate::config) fn table(&mut self) -> DynamoDbSettings {
        let endpoint = self.endpoint(&settings::DYNAMODB_ENDPOINT);
        self.dynamodb(endpoint)
    }

    fn dynamodb(&mut self, endpoint: Option<String>) -> DynamoDbSettings {
        let table = self.value_or_default(&settings::DYNAMODB_TABLE);
        // https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
        if !(3..=255).contains(&table.len())
            || !table
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
        {
            self.error(
                &settings::DYNAMODB_TABLE,
                "must be 3 to 255 of A-Z a-z 0-9 _ . -, such as clarity-health-data",
            );
        }
        let has_credentials =
            self.is_set(&settings::AWS_ACCESS_KEY_ID) || self.is_set(&settings::AWS_PROFILE);
        DynamoDbSettings {
            table,
            region: self.region(endpoint.is_some()),
            placeholder_credentials: endpoint.is_some() && !has_credentials,
            endpoint,
            fast_query_parser: true,
        }
    }
}
