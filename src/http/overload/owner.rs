use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hash};
use std::sync::LazyLock;

/// Order in which requests arrived: an older one goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age(pub(super) u64);

/// Owner of leased memory: hashes of the principal and of the client address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Owner {
    pub(super) principal: u64,
    pub(super) address: u64,
}

impl Owner {
    /// Creates an owner.
    pub fn new(principal: impl Hash, address: impl Hash) -> Self {
        static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);
        Self {
            principal: HASHER.hash_one((0, principal)),
            address: HASHER.hash_one((1, address)),
        }
    }
}
