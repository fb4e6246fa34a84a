//! This machine's own metrics: processor, memory, disks, network, temperatures, load, uptime.

use std::time::Duration;

/// How the machine is read.
#[derive(Clone, Debug)]
pub struct Options {
    /// The time between two readings.
    pub every: Duration,
}
