//! The face of tinydisplay: HTTP and the studio.

pub mod http;
