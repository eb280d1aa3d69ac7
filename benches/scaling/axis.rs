//! What there is more and more of, and by how much that may make a request dearer.

/// An axis.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    Routes,
    /// People whose sessions are sealed in their cookies.
    Cookies,
    /// People whose sessions are in memory.
    Memory,
    /// Tenants that jobs call, each with a ticket at hand.
    Tenants,
    Connections,
    Workers,
}

impl Axis {
    pub const ALL: [Self; 6] = [
        Self::Routes,
        Self::Cookies,
        Self::Memory,
        Self::Tenants,
        Self::Connections,
        Self::Workers,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Routes => "routes",
            Self::Cookies => "cookies",
            Self::Memory => "memory",
            Self::Tenants => "tenants",
            Self::Connections => "connections",
            Self::Workers => "workers",
        }
    }

    pub fn parse(name: &str) -> Self {
        let axis = Self::ALL.into_iter().find(|axis| axis.name() == name);
        axis.unwrap_or_else(|| panic!("{name:?} is no axis of this bench"))
    }

    /// What is measured; the others are compared with the first.
    pub fn sizes(self) -> &'static [usize] {
        match self {
            Self::Routes | Self::Tenants => &[1, 10_000],
            Self::Cookies | Self::Memory => &[1, 100_000],
            Self::Connections => &[16, 128, 1_024, 4_096],
            Self::Workers => &[1, 2],
        }
    }

    /// Of the first one's cost for each request, at most.
    pub fn most(self) -> f64 {
        match self {
            // Two cores then do 1.8 times the work of one.
            Self::Workers => 2.0 / 1.8,
            _ => 1.30,
        }
    }

    /// Kept connections, each with one request in flight.
    pub fn connections(self, size: usize) -> usize {
        match self {
            Self::Connections => size,
            Self::Workers => 128,
            _ => 32,
        }
    }

    pub fn workers(self, size: usize) -> usize {
        if self == Self::Workers { size } else { 1 }
    }
}
