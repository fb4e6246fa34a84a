//! The wall clock, as samples: the only wall time that formulas see.

/// Which clock is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Minutes east of UTC; `None` takes the machine's own time zone.
    pub utc_offset_minutes: Option<i32>,
}
