//! Reading the machine: only what is shown, no scan of processes.

use std::time::Duration;

use sysinfo::{Components, Disk, DiskRefreshKind, Disks, LoadAvg, System};

use super::network::Network;
use crate::source::Error;

/// The most disks that have keys of their own: the first ones by mount point.
const MAX_DISKS: usize = 16;

/// The machine as last read.
pub(super) struct Probe {
    pub(super) system: System,
    /// The root file system first, then by mount point; each device once.
    pub(super) disks: Vec<Mount>,
    pub(super) sensors: Components,
    pub(super) network: Network,
    pub(super) load: Option<LoadAvg>,
    pub(super) uptime_s: Option<u64>,
    pub(super) host: Option<String>,
    /// Whether the processor was read twice, so that its load is that of the time between.
    pub(super) cpu_is_warm: bool,
    all_disks: Disks,
}

/// How full a mounted file system is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mount {
    pub(super) point: String,
    /// Total and available bytes; `None` while it is not mounted.
    pub(super) bytes: Option<(u64, u64)>,
}

impl Probe {
    /// Finds out what the machine has at `now`, in world time, and reads everything but rates.
    pub(super) fn new(now: Duration) -> Result<Probe, Error> {
        let failed = |error: sysinfo::Error| Error::Transient(format!("cannot read this machine: {error}"));
        let mut probe = Probe {
            system: System::new().map_err(failed)?,
            disks: Vec::new(),
            sensors: Components::new_with_refreshed_list().map_err(failed)?,
            network: Network::default(),
            load: None,
            uptime_s: None,
            host: System::host_name().ok(),
            cpu_is_warm: false,
            all_disks: Disks::new().map_err(failed)?,
        };
        probe.system.refresh_cpu_usage();
        probe.network.refresh(now);
        probe.all_disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
        probe.disks = mounts(&probe.all_disks);
        probe.refresh_levels();
        Ok(probe)
    }

    /// Reads everything anew at `now`; the rates are those since the last time.
    pub(super) fn refresh(&mut self, now: Duration) {
        self.cpu_is_warm = true;
        self.system.refresh_cpu_usage();
        self.network.refresh(now);
        self.refresh_levels();
    }

    fn refresh_levels(&mut self) {
        self.system.refresh_memory();
        self.load = System::load_average().ok();
        self.uptime_s = System::uptime().ok();
        for sensor in self.sensors.iter_mut() {
            sensor.refresh();
        }
        // With the list of mounts, so that what was unmounted does not show its parent's figures.
        self.all_disks.refresh_specifics(true, DiskRefreshKind::nothing().with_storage());
        for mount in &mut self.disks {
            let found = self.all_disks.iter().find(|disk| disk.mount_point().to_str() == Some(&mount.point));
            mount.bytes = found.map(bytes);
        }
    }
}

fn bytes(disk: &Disk) -> (u64, u64) {
    (disk.total_space(), disk.available_space())
}

fn mounts(disks: &Disks) -> Vec<Mount> {
    let mut found: Vec<&Disk> = disks.iter().filter(|disk| disk.total_space() > 0).collect();
    found.sort_by_key(|disk| disk.mount_point().to_owned());
    let mut devices = Vec::new();
    // "/" sorts first. Bind mounts and subvolumes show the same device again.
    found.retain(|disk| {
        let new = !devices.contains(&disk.name());
        devices.push(disk.name());
        new
    });
    let mount = |disk: &&Disk| {
        let point = disk.mount_point().to_str()?.to_owned();
        Some(Mount { point, bytes: Some(bytes(disk)) })
    };
    found.iter().filter_map(mount).take(MAX_DISKS).collect()
}
