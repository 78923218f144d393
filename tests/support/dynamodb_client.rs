//! Client for DynamoDB Local, for operations that the store does not offer.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};

use crate::support::dynamodb_local::DynamoDbLocal;

pub fn client() -> Client {
    let credentials = Credentials::new("placeholder", "placeholder", None, None, "tests");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("us-east-1"))
        .endpoint_url(DynamoDbLocal::shared().endpoint())
        .credentials_provider(credentials)
        .build();
    Client::from_conf(config)
}
