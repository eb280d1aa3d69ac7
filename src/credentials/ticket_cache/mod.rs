//! System user tickets: bought once for any number of callers, kept while they live, renewed ahead.

mod back_off;
mod buyer;
mod cache;
mod errand;
mod flight;
mod held;
mod ledger;
mod no_ticket;
mod rights;
mod shared;
mod slot;
mod slots;
mod source;
mod status;

pub use cache::{Again, TicketCache};
pub use held::{Held, TicketId};
pub use no_ticket::NoTicket;
pub use shared::SharedTickets;
pub use source::{Bought, BuyFailed, BuyFailure, TicketSource};
pub use status::{TicketState, TicketStatus};
