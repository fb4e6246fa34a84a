//! What this process takes of the machine.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};

use crate::telemetry::number::Gauge;
use crate::telemetry::table;

/// Measures this process whenever it is asked to.
pub struct Process {
    /// `None` where the system tells nothing about processes.
    this: Option<(System, Pid)>,
    resident: Gauge,
    uptime: Gauge,
}

impl Process {
    /// This process. Nothing is measured yet.
    #[allow(clippy::new_without_default, reason = "it registers series: nothing to do by the way")]
    pub fn new() -> Process {
        Process {
            this: System::new().ok().zip(sysinfo::get_current_pid().ok()),
            resident: table::RESIDENT_MEMORY.gauge(&[]),
            uptime: table::UPTIME.gauge(&[]),
        }
    }

    /// The memory in RAM when it was last measured, in bytes; 0 before.
    pub fn resident_bytes(&self) -> f64 {
        self.resident.value()
    }

    /// Shows what the process takes now. Where the system does not tell, the last numbers stay.
    pub fn measure(&mut self) {
        let Some((system, pid)) = &mut self.this else { return };
        let what = ProcessRefreshKind::nothing().with_memory();
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[*pid]), false, what);
        if let Some(process) = system.process(*pid) {
            self.resident.set(process.memory() as f64);
            self.uptime.set(process.run_time() as f64);
        }
    }
}
