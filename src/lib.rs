//! The face of tinydisplay: the command line and configuration files.

pub mod cli;
pub mod config;
