use std::collections::BTreeSet;
use std::time::Duration;

use clarity_backend::domain::{DataTypes, ListQuery, Reading};
use clarity_backend::store::{ReadingStore, erase_user, put_batch};

use super::{list, store_all, stored, walk};
use crate::samples::{all_of, series, user};

const PATIENCE: Duration = Duration::from_secs(60);

pub async fn erasure_removes_everything_of_the_user(store: &dyn ReadingStore) {
    put_batch(store, series("someone", 600)).await;
    let erasure = erase_user(store, &user("someone"), PATIENCE, |_| {})
        .await
        .unwrap();
    assert_eq!(erasure.deleted, 600);
    assert!(erasure.complete);
    assert!(list(store, &all_of("someone")).await.readings.is_empty());
    let of_type = ListQuery {
        data_types: DataTypes::try_from(vec!["heart_rate".parse().unwrap()]).unwrap(),
        ..all_of("someone")
    };
    assert!(list(store, &of_type).await.readings.is_empty());
    // Also a second time, and for an unknown user.
    for nobody in ["someone", "nobody"] {
        let erasure = erase_user(store, &user(nobody), PATIENCE, |_| {})
            .await
            .unwrap();
        assert_eq!((erasure.deleted, erasure.complete), (0, true));
    }
}

pub async fn erasure_does_not_affect_other_users(store: &dyn ReadingStore) {
    let neighbours = ["someone.", "someon", "someone0", "SOMEONE", "someone-"];
    for neighbour in neighbours {
        store_all(store, &series(neighbour, 3)).await;
    }
    store_all(store, &series("someone", 3)).await;
    erase_user(store, &user("someone"), PATIENCE, |_| {})
        .await
        .unwrap();
    for neighbour in neighbours {
        assert_eq!(walk(store, all_of(neighbour)).await, series(neighbour, 3));
    }
}

pub async fn erasure_continues_after_its_budget(store: &dyn ReadingStore) {
    put_batch(store, series("someone", 700)).await;
    let mut deleted = 0;
    let mut requests = 0;
    loop {
        // One part per call.
        let erasure = erase_user(store, &user("someone"), Duration::ZERO, |_| {}).await;
        let erasure = erasure.unwrap();
        deleted += erasure.deleted;
        requests += 1;
        if erasure.complete {
            break;
        }
    }
    assert_eq!(deleted, 700);
    assert!(requests > 1, "a look after the last deletion");
    assert!(list(store, &all_of("someone")).await.readings.is_empty());
}

pub async fn erasure_tolerates_concurrent_writes(store: &dyn ReadingStore) {
    let readings = series("someone", 600);
    put_batch(store, readings.clone()).await;
    let user = user("someone");
    let (first, again, second) = tokio::join!(
        erase_user(store, &user, PATIENCE, |_| {}),
        put_batch(store, readings.clone()),
        erase_user(store, &user, PATIENCE, |_| {}),
    );
    assert!(first.unwrap().complete && second.unwrap().complete);
    assert!(again.into_iter().all(|outcome| outcome.is_ok()));
    // Readings stored after an erasure are complete, and removed by the next one.
    let left = walk(store, all_of("someone")).await;
    for one in &readings {
        let listed = left.iter().find(|listed| listed.id == one.id);
        assert_eq!(stored(store, one).await.as_ref(), listed);
        assert!(listed.is_none_or(|listed| listed == one));
    }
    let ids = |readings: &[Reading]| readings.iter().map(|one| one.id).collect::<BTreeSet<_>>();
    assert!(ids(&left).is_subset(&ids(&readings)));
    assert_eq!(ids(&left).len(), left.len(), "each once");
    assert!(
        erase_user(store, &user, PATIENCE, |_| {})
            .await
            .unwrap()
            .complete
    );
    assert!(list(store, &all_of("someone")).await.readings.is_empty());
}

pub async fn erased_reading_can_be_stored_again(store: &dyn ReadingStore) {
    let readings = series("someone", 30);
    store_all(store, &readings).await;
    erase_user(store, &user("someone"), PATIENCE, |_| {})
        .await
        .unwrap();
    store_all(store, &readings).await;
    assert_eq!(walk(store, all_of("someone")).await, readings);
}
