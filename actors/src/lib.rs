//! The middle floor of tinydisplay: actors, thin shells around the engine that do its I/O.

pub mod clock;
pub mod coordination;
pub mod expression;
pub mod fault;
pub mod handle;
pub mod journal;
pub mod output;
pub mod panel;
pub mod persistence;
pub mod recording;
pub mod renderer;
pub mod ring;
pub mod runtime;
pub mod source;
pub mod supervisor;
pub mod telemetry;
pub mod world;
