//! What the app is told, in request headers, and what tenants are called with.

mod injected;
mod system_users;

pub use injected::{Injection, injected};
pub use system_users::{Again, Held, NoTicket, SystemUsers, TicketCache};
