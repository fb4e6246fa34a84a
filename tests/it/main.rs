//! The integration tests, one binary.

mod cli;
mod config;
mod eval;
mod process;
mod replay;
mod tidy;
