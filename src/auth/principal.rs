use std::sync::Arc;

use super::{Scopes, Users};

/// An authenticated caller.
#[derive(Debug, PartialEq, Eq)]
pub struct Principal {
    /// Identity.
    pub id: PrincipalId,
    /// Operations that it may perform.
    pub scopes: Scopes,
    /// Users that it may act for.
    pub users: Users,
}

/// Identity of a principal. All keys with one id are the same principal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PrincipalId {
    /// Id of an API key.
    Key(Arc<str>),
    /// Subject of a token, which identifies a person.
    Subject(Arc<str>),
}
