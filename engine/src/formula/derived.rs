//! What formulas ask of a key's past: windows over its samples, and how long it has been silent. Each such
//! question is a hidden input of the program. It is answered outside of the generated code, and its answer
//! stands in a lane of its own.

/// A question about a key's past. Equal ones are asked once, however many formulas ask them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Derived {
    /// What is asked.
    pub measure: Measure,
    /// The index of the key.
    pub key: u32,
    /// How far back; `None` for the measures that look at the newest samples alone.
    pub span: Option<Span>,
}

/// What a [`Derived`] input measures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// The mean.
    Average,
    /// The standard deviation of the population.
    Deviation,
    /// The sum.
    Sum,
    /// How many samples there are.
    Count,
    /// The least.
    Minimum,
    /// The greatest.
    Maximum,
    /// The middle one by size, or the mean of the two in the middle.
    Median,
    /// The sample of that rank, by nearest rank.
    Percentile(Percent),
    /// The last sample less the one before it.
    Delta,
    /// The last less the first, per hour of the window.
    Rate,
    /// The last less the first, per second between the two.
    RateOfChange,
    /// From the first to the last, in percent of the first.
    PercentChange,
    /// Seconds since the newest sample, by ticks.
    Age,
    /// 1 if the key is stale, else 0.
    Stale,
}

impl Measure {
    /// Whether it can be beyond the largest number though all samples are numbers.
    pub(super) fn may_be_infinite(self) -> bool {
        use Measure::{Delta, PercentChange, Rate, RateOfChange, Sum};
        matches!(self, Sum | Delta | Rate | RateOfChange | PercentChange)
    }
}

/// How far back a window goes; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Span {
    /// Milliseconds.
    Milliseconds(u64),
    /// Ticks.
    Ticks(u64),
}

/// A number from 0 to 100, by its bits, so that it has an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Percent(u64);

impl Percent {
    /// `None` unless `p` is from 0 to 100.
    ///
    /// ```
    /// use engine::formula::derived::Percent;
    /// assert_eq!(Percent::new(95.0).map(Percent::number), Some(95.0));
    /// assert_eq!((Percent::new(-1.0), Percent::new(100.5)), (None, None));
    /// ```
    pub fn new(p: f64) -> Option<Percent> {
        // Adding 0 makes 0 of -0.
        (0.0..=100.0).contains(&p).then(|| Percent((p + 0.0).to_bits()))
    }

    /// The number.
    pub fn number(self) -> f64 {
        f64::from_bits(self.0)
    }
}
