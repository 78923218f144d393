use clarity_backend::domain::{ListQuery, Order};
use clarity_backend::store::ReadingStore;

use super::{list, store_all, stored};
use crate::samples::{all_of, measurement, reading, reversed, series, user};

/// Ids that are prefixes of one another, or differ little.
const USERS: [&str; 8] = ["a", "a.b", "ab", "A", "a-", "a:", "aa", "b"];

pub async fn users_see_only_their_own_readings(store: &dyn ReadingStore) {
    for user_id in USERS {
        store_all(store, &series(user_id, 3)).await;
    }
    for user_id in USERS {
        let descending = ListQuery {
            order: Order::Desc,
            ..all_of(user_id)
        };
        let own = series(user_id, 3);
        assert_eq!(list(store, &all_of(user_id)).await.readings, own);
        assert_eq!(list(store, &descending).await.readings, reversed(own));
    }
}

pub async fn readings_of_others_cannot_be_read_or_deleted(store: &dyn ReadingStore) {
    let of_another = reading(measurement("a", "2024-01-15T10:30:00Z"));
    store_all(store, std::slice::from_ref(&of_another)).await;
    for user_id in ["a.b", "ab", "A", "b"] {
        let user_id = user(user_id);
        assert_eq!(store.get(&user_id, of_another.id).await.unwrap(), None);
        assert!(!store.delete(&user_id, of_another.id).await.unwrap());
    }
    assert_eq!(stored(store, &of_another).await, Some(of_another));
}

pub async fn user_id_may_have_any_permitted_character(store: &dyn ReadingStore) {
    let longest = "u".repeat(128);
    for user_id in ["7", "a.b_c@d:e+f-g", "jane+doe@example.org", &longest] {
        let own = series(user_id, 2);
        store_all(store, &own).await;
        assert_eq!(list(store, &all_of(user_id)).await.readings, own);
    }
}
