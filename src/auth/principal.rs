use std::sync::Arc;

use super::{Scopes, Users};

/// Whoever a credential stands for.
#[derive(Debug, PartialEq, Eq)]
pub struct Principal {
    /// Who it is.
    pub id: PrincipalId,
    /// What it may do.
    pub scopes: Scopes,
    /// For whom it may act.
    pub users: Users,
}

/// Who a principal is; the keys of one id are the same principal.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PrincipalId {
    /// The id of an API key.
    Key(Arc<str>),
    /// The subject of a token, which names a person.
    Subject(Arc<str>),
}
