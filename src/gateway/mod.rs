//! The life of a request: decided without sockets, then answered or let out.

mod addresses;
mod app_pages;
mod calls;
mod decide;
mod entrance;
mod exchange;
mod explain;
mod failing;
mod forward;
mod installations;
mod lane;
mod leaving;
mod lifecycle;
mod notices;
mod own_pages;
mod respond;
mod returned;
mod site;
mod start;
mod steps;
mod told;
mod tunnel;
mod turnstile;
mod verdict;
mod way;
mod wire;

pub use calls::CallTrouble;
pub use decide::decide;
pub use explain::explain;
pub use lifecycle::Gateway;
pub use respond::Refused;
pub use site::{HostSite, Site};
pub use verdict::{Departure, Step, Verdict};
pub use wire::Wire;
