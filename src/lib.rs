//! The face of tinydisplay: the command line, configuration files, HTTP and the studio. The binary is a thin
//! wrapper around [`cli`].

pub mod catalogue;
pub mod cli;
pub mod config;
pub mod graph;
pub mod http;
