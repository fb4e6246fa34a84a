//! What a script may use.

use std::time::Duration;

/// What a script may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Steps of a call: each turn of a loop, each call and each step of a pattern is one. The same call takes
    /// the same number everywhere.
    pub budget: u64,
    /// Steps of all calls of a tick together, of functions and of handlers each: where so many were taken,
    /// the others of the tick are not called.
    pub tick_budget: u64,
    /// Bytes of memory.
    pub memory: usize,
    /// How long a call may take by the clock, in case that its steps are long ones.
    pub backstop: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { budget: 200_000, tick_budget: 1_000_000, memory: 16 << 20, backstop: BACKSTOP_MIN }
    }
}

/// The most steps that a call can be given.
pub const BUDGET_MAX: u64 = 2_000_000;

/// The most steps that the calls of a tick can be given.
pub const TICK_BUDGET_MAX: u64 = 20_000_000;

/// The least that the clock gives a call.
const BACKSTOP_MIN: Duration = Duration::from_millis(50);

/// What the clock gives a step: several times of what one takes, so that the budget decides.
const STEP_MAX: Duration = Duration::from_nanos(250);

impl Limits {
    /// The same with a budget of so many steps a call, [`BUDGET_MAX`] at most. The backstop grows with it.
    ///
    /// ```
    /// use actors::expression::script::Limits;
    /// let backstop = |budget| Limits::default().with_budget(budget).backstop.as_millis();
    /// assert_eq!((backstop(1), backstop(200_000), backstop(2_000_000)), (50, 50, 500));
    /// ```
    #[must_use]
    pub fn with_budget(self, budget: u64) -> Limits {
        let budget = budget.min(BUDGET_MAX);
        let backstop = STEP_MAX.saturating_mul(u32::try_from(budget).unwrap_or(u32::MAX));
        Limits { budget, backstop: backstop.max(BACKSTOP_MIN), ..self }
    }
}
