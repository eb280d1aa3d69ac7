//! Calls to tenants, counted by tenant: the first so many by name, all others together.

use std::sync::Arc;

use super::catalogue::TENANT_CALLS;
use super::named::Named;
use super::registry::Registry;
use super::route::STATUSES;
use super::series::Counter;

/// Counters of calls, by tenant and by the first digit of the status.
#[derive(Debug)]
pub struct CallCounters(Named<[Counter; 6]>);

impl CallCounters {
    pub(super) fn of(registry: &Arc<Registry>) -> Self {
        let registry = registry.clone();
        Self(Named::new(MOST, move |tenant| {
            STATUSES.map(|status| registry.counter(&TENANT_CALLS, &[tenant, status]))
        }))
    }

    /// A call of a tenant ended with this status; 0 when the caller left before an answer.
    pub fn answered(&self, tenant: &str, status: u16) {
        let class = usize::from(status / 100).min(5);
        self.0.count(tenant, |counters| counters[class].inc());
    }
}

/// Tenants that are counted by name, from the start of the process on.
const MOST: usize = 200;

#[cfg(test)]
mod tests {
    use super::super::named::OTHERS;
    use super::*;

    #[test]
    fn however_many_tenants_are_called_the_names_have_an_end() {
        let registry = Arc::new(Registry::default());
        let counters = CallCounters::of(&registry);
        for number in 0..10_000 {
            counters.answered(&format!("Cust{number}"), 200);
        }
        let count = |tenant: &str, status| registry.counter(&TENANT_CALLS, &[tenant, status]).get();
        assert_eq!(count(OTHERS, "2xx"), 10_000 - MOST as u64);
        counters.answered("Cust7", 503);
        counters.answered("Cust9999", 503);
        assert_eq!((count("Cust7", "5xx"), count(OTHERS, "5xx")), (1, 1));
    }
}
