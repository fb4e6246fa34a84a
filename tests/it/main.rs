//! The integration tests, one binary.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod attacks;
mod bombs;
mod cli;
mod config;
mod core;
mod data;
mod docs;
mod eval;
mod face;
mod failures;
mod faults;
mod hostile;
mod logs;
mod monitoring;
mod process;
mod program;
mod recordings;
mod replay;
mod scripted;
mod scripts;
mod service;
mod shutdown;
mod studio;
mod tidy;
mod windows;
