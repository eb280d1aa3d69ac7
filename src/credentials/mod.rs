//! What calls carry: identity and credential headers for apps, system user tickets for tenants; and what
//! keeps people's credentials good.

mod dead_tickets;
mod exchange_desk;
mod injected;
mod installing;
mod noticed;
mod partner;
mod refresh;
mod stores;
mod system_users;
mod ticket_cache;

pub use injected::{Injection, injected};
pub use installing::{Installation, Installed};
pub use noticed::{NotActed, Noticed};
pub use partner::Partner;
pub use refresh::{Landed, Needed, Refresher, Waiting};
pub use stores::{Stores, StoresFailed};
pub use system_users::SystemUsers;
pub use ticket_cache::{
    Again, Bought, BuyFailed, BuyFailure, Held, NoTicket, SharedTickets, TicketCache, TicketId,
    TicketSource, TicketState, TicketStatus,
};
