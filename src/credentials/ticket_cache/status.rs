//! What people are shown of the cache; never a ticket.

use crate::identity::TenantKey;

use super::no_ticket::NoTicket;

/// One tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TicketStatus {
    pub key: TenantKey,
    pub state: TicketState,
    /// Seconds since the living ticket was bought.
    pub age: Option<u64>,
    /// Seconds since it was last used here.
    pub idle: Option<u64>,
    /// Exchanges within the last hour that count, of this process.
    pub exchanges: usize,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TicketState {
    /// The first ticket, or the next after a dead one, is being bought.
    Buying,
    /// Nobody has asked since the last one died.
    Empty,
    Living,
    /// It serves on, and a younger one cannot be had at the moment.
    LivingUnrenewed(NoTicket),
    Refused(NoTicket),
}

impl TicketState {
    /// What JSON and the command line call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Buying => "buying",
            Self::Empty => "empty",
            Self::Living => "living",
            Self::LivingUnrenewed(_) => "living_unrenewed",
            Self::Refused(_) => "refused",
        }
    }
}
