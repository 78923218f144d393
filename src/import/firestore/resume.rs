//! Going on where an earlier run ended.

use crate::import::place::{Damage, Place};

/// Passes over what comes up to a place, and at it.
#[derive(Default)]
pub(super) struct Resume {
    after: Option<Place>,
}

impl Resume {
    pub(super) fn after(place: Place) -> Self {
        Self { after: Some(place) }
    }

    /// Whether what is at this place was given in the earlier run. To be asked
    /// of every place in order.
    pub(super) fn is_behind(&mut self, place: &Place) -> bool {
        let Some(last) = &self.after else {
            return false;
        };
        if last == place {
            self.after = None;
        }
        true
    }

    /// Asked at the end: whether the place was never met. Told once.
    pub(super) fn unmet(&mut self) -> Option<Damage> {
        let place = self.after.take()?;
        let problem = "the place to go on from is not in this source; name the source that the \
                       checkpoint was made with, or start anew";
        Some(Damage::new(place, problem))
    }
}
