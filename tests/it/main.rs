//! The integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod cli;
mod config;
mod data;
mod docs;
mod eval;
mod faults;
mod process;
mod recordings;
mod replay;
mod shutdown;
mod tidy;
