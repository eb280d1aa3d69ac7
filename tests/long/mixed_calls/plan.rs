//! How much of everything.

#[derive(Clone, Copy)]
pub struct Plan {
    pub tenants: usize,
    /// Callers of each app.
    pub callers: usize,
    /// How often each caller calls each tenant.
    pub rounds: usize,
    /// How often the clock is turned in each round.
    pub turns: usize,
    /// Changes of the weather within each turn.
    pub changes: usize,
}

impl Plan {
    const WHOLE: Self = Self { tenants: 500, callers: 50, rounds: 40, turns: 5, changes: 25 };
    const SHORT: Self = Self { rounds: 4, ..Self::WHOLE };
    const TRACE: Self = Self { tenants: 100, ..Self::SHORT };

    /// What the command line asks for.
    pub fn asked() -> Self {
        let asked = |word: &str| std::env::args().any(|text| text == word);
        match (asked("--short"), asked("--trace")) {
            (true, _) => Self::SHORT,
            (false, true) => Self::TRACE,
            (false, false) => Self::WHOLE,
        }
    }

    pub fn calls_of_a_turn(&self) -> u64 {
        (self.tenants * self.callers / self.turns) as u64
    }

    pub fn all_turns(&self) -> u64 {
        (self.rounds * self.turns) as u64
    }
}
