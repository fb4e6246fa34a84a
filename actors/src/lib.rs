//! The middle floor of tinydisplay: actors, thin shells around the engine that do its I/O.

pub mod handle;
pub mod panel;
pub mod persistence;
pub mod source;
pub mod world;
