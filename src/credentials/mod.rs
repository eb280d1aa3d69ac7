//! What calls carry: identity and credential headers for apps, system user tickets for tenants.

mod injected;
mod ticket_cache;

pub use injected::{Injection, injected};
pub use ticket_cache::{
    Again, Bought, BuyFailed, BuyFailure, Held, NoTicket, SharedTickets, TicketCache, TicketId,
    TicketSource, TicketState, TicketStatus,
};
