//! The operations of the OpenAPI document, and requests built from its examples.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::support::app::{ApiResponse, TestApp};

pub struct Operation {
    pub name: String,
    method: Method,
    path: String,
    body: Option<Value>,
    /// Required scope; `None` for a public operation.
    pub scope: Option<String>,
}

/// Returns every operation of the OpenAPI document.
pub async fn operations(app: &TestApp) -> Vec<Operation> {
    let document = ApiResponse::from_request(app.anonymous(Method::GET, "/openapi.json")).await;
    let document = document.body;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations.push(Operation::from_openapi(method, path, operation));
        }
    }
    operations
}

impl Operation {
    fn from_openapi(method: &str, path: &str, operation: &Value) -> Self {
        let name = format!("{method} {path}");
        let body = operation.get("requestBody").map(|body| {
            let body = &body["content"]["application/json"]["example"];
            assert!(body.is_object(), "{name} has no example of its body");
            body.clone()
        });
        let mut example = path.to_owned();
        let parameters = operation["parameters"].as_array();
        for parameter in parameters.into_iter().flatten() {
            if parameter["in"] == "path" {
                let placeholder = format!("{{{}}}", parameter["name"].as_str().unwrap());
                let value = parameter["example"].as_str();
                let value = value.unwrap_or_else(|| panic!("{name}: {parameter}"));
                example = example.replace(&placeholder, value);
            }
        }
        Self {
            scope: Self::parse_scope(&name, &operation["security"]),
            method: method.to_uppercase().parse().unwrap(),
            path: example,
            name,
            body,
        }
    }

    /// Returns the one required scope, or `None` if the operation is public.
    fn parse_scope(name: &str, security: &Value) -> Option<String> {
        if *security == json!([{}]) {
            return None;
        }
        let scopes = security[0]["api_key"].as_array();
        let scopes = scopes.unwrap_or_else(|| panic!("{name} declares no scope"));
        assert_eq!(scopes.len(), 1, "{name}");
        for alternative in security.as_array().unwrap() {
            for (_, same) in alternative.as_object().unwrap() {
                assert_eq!(same.as_array().unwrap(), scopes, "{name}");
            }
        }
        Some(scopes[0].as_str().unwrap().to_owned())
    }

    /// Builds the example request, without a credential.
    pub fn request(&self, app: &TestApp) -> RequestBuilder {
        let request = app.anonymous(self.method.clone(), &self.path);
        match &self.body {
            Some(body) => request.json(body),
            None => request,
        }
    }
}
