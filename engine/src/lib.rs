//! The engine of tinydisplay: the ground floor. Pure and deterministic: no I/O, no clock, no threads.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod animation;
pub mod coordination;
pub mod diagnostic;
pub mod effect;
pub mod event;
pub mod formula;
pub mod generator;
pub mod hash;
pub mod paint;
pub mod restart;
pub mod ring;
pub mod sample;
pub mod scene;
pub mod script;
pub mod signal;
pub mod template;
pub mod tick;
pub mod value;
pub mod widget;
pub mod window;
