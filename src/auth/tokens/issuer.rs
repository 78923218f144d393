use super::claims::Claims;

/// A trusted issuer of tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// Exact value of the claim `iss`.
    pub url: String,
    /// Required audience.
    pub audience: Audience,
}

/// Audience that a token must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// One of these app clients of a Cognito user pool. Access tokens name it in
    /// `client_id`, id tokens in `aud`.
    ///
    /// <https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-tokens-verifying-a-jwt.html>
    CognitoClients(Vec<String>),
    /// This value in `aud`.
    Named(String),
}

impl Audience {
    pub(super) fn matches(&self, claims: &Claims) -> bool {
        let is_for = |name: &str| claims.aud.as_ref().is_some_and(|aud| aud.contains(name));
        match self {
            Self::CognitoClients(clients) => match claims.token_use.as_deref() {
                Some("access") => {
                    let client_id = claims.client_id.as_ref();
                    client_id.is_some_and(|id| clients.contains(id))
                }
                Some("id") => clients.iter().any(|client| is_for(client)),
                _ => false,
            },
            Self::Named(name) => is_for(name),
        }
    }
}
