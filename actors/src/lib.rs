//! The middle floor of tinydisplay: actors, thin shells around the engine that do its I/O.

pub mod expression;
pub mod panel;
pub mod source;
