//! What differs between the proxies of a comparison, and by how much that may make a request dearer.

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
    /// What being signed in adds to a request that is public and not logged: session, permit, what the app
    /// is told, the line in the log. By a session sealed in a cookie.
    GateCookie,
    /// The same by a session in memory.
    GateMemory,
    /// A job's call, beside somebody's request.
    Job,
}

/// By how much the others may be dearer than the first.
#[derive(Clone, Copy)]
pub enum Bar {
    /// So many microseconds for each request.
    More(f64),
    /// So many times.
    Times(f64),
}

/// A proxy of the gate's axes.
pub const PUBLIC: usize = 0;
/// One of those of a job too.
pub const SIGNED_IN: usize = 1;
/// A job's other.
pub const CALL: usize = 2;

impl Axis {
    pub const ALL: [Self; 9] = [
        Self::Routes,
        Self::Cookies,
        Self::Memory,
        Self::Tenants,
        Self::Connections,
        Self::Workers,
        Self::GateCookie,
        Self::GateMemory,
        Self::Job,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Routes => "routes",
            Self::Cookies => "cookies",
            Self::Memory => "memory",
            Self::Tenants => "tenants",
            Self::Connections => "connections",
            Self::Workers => "workers",
            Self::GateCookie => "gate-cookie",
            Self::GateMemory => "gate-memory",
            Self::Job => "job",
        }
    }

    /// How one of its sizes is called.
    pub fn called(self, size: usize) -> String {
        match self {
            Self::GateCookie | Self::GateMemory | Self::Job => {
                ["public", "signed in", "call"][size].to_owned()
            }
            _ => size.to_string(),
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
            Self::GateCookie | Self::GateMemory => &[PUBLIC, SIGNED_IN],
            Self::Job => &[SIGNED_IN, CALL],
        }
    }

    /// Beside the first one's cost for each request.
    pub fn bar(self) -> Bar {
        match self {
            // Two cores then do 1.8 times the work of one.
            Self::Workers => Bar::Times(2.0 / 1.8),
            Self::GateCookie => Bar::More(1.5),
            Self::GateMemory => Bar::More(1.0),
            Self::Job => Bar::Times(1.15),
            _ => Bar::Times(1.30),
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

    /// Whether it is asked by jobs, through a job listener.
    pub fn is_of_jobs(self, size: usize) -> bool {
        match self {
            Self::Tenants => true,
            Self::Job => size == CALL,
            _ => false,
        }
    }

    /// How many people, tenants or whatever it is about there are before the measurement: each is met once.
    pub fn to_meet(self, size: usize) -> usize {
        if matches!(self, Self::GateCookie | Self::GateMemory | Self::Job) { 1 } else { size }
    }

    pub fn workers(self, size: usize) -> usize {
        if self == Self::Workers { size } else { 1 }
    }
}

impl std::fmt::Display for Bar {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Self::More(microseconds) => format!("+{microseconds:.2}"),
            Self::Times(times) => format!("{times:.2}"),
        };
        out.pad(&text)
    }
}
