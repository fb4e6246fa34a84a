//! Expressions: all formulas of a panel, evaluated once a tick.

pub mod chunk;
