//! Tenants' serial numbers, learned from id_tokens of our own and from nothing else.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use crate::identity::ContextId;

/// What id_tokens have told, of at most 10,000 tenants of one environment.
#[derive(Debug, Default)]
pub(super) struct Serials(Mutex<HashMap<ContextId, String>>);

impl Serials {
    /// Remembers a tenant's serial; the latest counts. When there is no room, some other tenant is
    /// forgotten, and learned again when its people sign in.
    pub(super) fn learn(&self, context: &ContextId, serial: &str) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.get(context).is_some_and(|old| old == serial) {
            return;
        }
        if known.len() >= MOST && !known.contains_key(context) {
            let some_other = known.keys().next().cloned();
            some_other.map(|other| known.remove(&other));
        }
        known.insert(context.clone(), serial.to_owned());
    }

    /// The serial of a tenant, if an id_token has told.
    pub(super) fn of(&self, context: &ContextId) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(context).cloned()
    }
}

const MOST: usize = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_serial_counts_and_the_number_of_tenants_is_bounded() {
        let serials = Serials::default();
        let tenant = |number| ContextId::parse(&format!("Cust{number}")).unwrap();
        serials.learn(&tenant(0), "1");
        serials.learn(&tenant(0), "2");
        assert_eq!(serials.of(&tenant(0)).as_deref(), Some("2"));
        for number in 1..=MOST {
            serials.learn(&tenant(number), "3");
        }
        assert_eq!(serials.0.lock().unwrap().len(), MOST);
        assert_eq!(serials.of(&tenant(MOST)).as_deref(), Some("3"));
    }
}
