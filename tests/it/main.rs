//! The integration tests, one binary.

mod cli;
mod config;
mod process;
mod replay;
mod tidy;
