//! The gauges: each key of the source together with the way to read it, in one table.

use std::collections::BTreeSet;

use engine::value::Value;
use sysinfo::Component;

use super::network::Traffic;
use super::probe::{Mount, Probe};
use crate::source::KeySpec;

/// A key and how it is read.
pub(super) struct Gauge {
    pub(super) key: KeySpec,
    /// `None` while the machine does not tell.
    pub(super) read: Read,
}

type Read = Box<dyn Fn(&Probe) -> Option<Value> + Send>;

// Ranges are those of a small machine and never this one's own: a simulation walks over them, and must
// show the same everywhere.
const PERCENT: (f64, f64) = (0.0, 100.0);
const MEMORY_BYTES: (f64, f64) = (0.0, 4.0 * GIB);
const MEMORY_SIZE: (f64, f64) = (4.0 * GIB, 4.0 * GIB);
const DISK_BYTES: (f64, f64) = (0.0, 64.0 * GIB);
const DISK_SIZE: (f64, f64) = (64.0 * GIB, 64.0 * GIB);
const RATE: (f64, f64) = (0.0, 12_500_000.0);
const CELSIUS: (f64, f64) = (20.0, 90.0);
const GIB: f64 = 1_073_741_824.0;

/// Parts of the names under which drivers report the processor's own temperature, best first.
const CPU_SENSORS: [&str; 8] =
    ["Package id 0", "Tctl", "Tdie", "cpu_thermal", "cpu-thermal", "soc_thermal", "soc-thermal", "coretemp"];

/// All gauges of this machine. Names are unique: of two that would be the same the first stays.
pub(super) fn all(probe: &Probe) -> Vec<Gauge> {
    let groups = [cpu(probe), memory(), swap(), disks(probe), network(probe), temperatures(probe), general()];
    let mut taken = BTreeSet::new();
    groups.into_iter().flatten().filter(|gauge| taken.insert(gauge.key.name.clone())).collect()
}

fn gauge(key: KeySpec, read: impl Fn(&Probe) -> Option<f64> + Send + 'static) -> Gauge {
    Gauge { key, read: Box::new(move |probe| read(probe).map(Value::Number)) }
}

fn cpu(probe: &Probe) -> Vec<Gauge> {
    let total = KeySpec::number("cpu", PERCENT, "%", "Processor load, mean of all cores");
    let mut gauges =
        vec![gauge(total, |probe| probe.cpu_is_warm.then(|| f64::from(probe.system.global_cpu_usage())))];
    for core in 0..probe.system.cpus().len() {
        let text = format!("Load of processor core {core}");
        gauges.push(gauge(KeySpec::number(format!("cpu_{core}"), PERCENT, "%", text), move |probe| {
            let core = probe.system.cpus().get(core).filter(|_| probe.cpu_is_warm)?;
            Some(f64::from(core.usage()))
        }));
    }
    gauges
}

fn memory() -> Vec<Gauge> {
    let total = |p: &Probe| p.system.total_memory();
    let used = |p: &Probe| p.system.used_memory();
    let bytes = |name, text| KeySpec::number(name, MEMORY_BYTES, "B", text);
    let size = KeySpec::number("memory_total", MEMORY_SIZE, "B", "Memory that the machine has");
    vec![
        gauge(KeySpec::number("memory", PERCENT, "%", "Memory in use"), move |p| percent(used(p), total(p))),
        gauge(bytes("memory_used", "Memory in use, without caches"), move |p| Some(used(p) as f64)),
        gauge(bytes("memory_available", "Memory that programs could still have"), |p| {
            Some(p.system.available_memory() as f64)
        }),
        gauge(size, move |p| Some(total(p) as f64)),
    ]
}

fn swap() -> Vec<Gauge> {
    let total = |p: &Probe| p.system.total_swap();
    let used = |p: &Probe| p.system.used_swap();
    let bytes = |name, range, text| KeySpec::number(name, range, "B", text);
    vec![
        // Without swap none of it is in use, which is 0 and not unknown.
        gauge(KeySpec::number("swap", PERCENT, "%", "Swap in use"), move |p| {
            Some(percent(used(p), total(p)).unwrap_or(0.0))
        }),
        gauge(bytes("swap_used", MEMORY_BYTES, "Swap in use"), move |p| Some(used(p) as f64)),
        gauge(bytes("swap_total", MEMORY_SIZE, "Swap that the machine has"), move |p| Some(total(p) as f64)),
    ]
}

/// `disk` is the root file system; the others are named by their mount points.
fn disks(probe: &Probe) -> Vec<Gauge> {
    let mut gauges = Vec::new();
    // Formulas name the first one on any machine, so its keys are there even without a disk.
    for index in 0..probe.disks.len().max(1) {
        let point = probe.disks.get(index).map_or("/", |mount| &mount.point);
        let name = if index == 0 { "disk".to_owned() } else { format!("disk_{}", slug(point)) };
        let read = move |value: fn(u64, u64) -> Option<f64>| {
            move |probe: &Probe| {
                let (total, available) = probe.disks.get(index).and_then(|mount: &Mount| mount.bytes)?;
                value(total, available)
            }
        };
        let bytes = |part: &str, range, text| {
            KeySpec::number(format!("{name}_{part}"), range, "B", format!("{text} {point}"))
        };
        let share = KeySpec::number(name.as_str(), PERCENT, "%", format!("Space in use on {point}"));
        gauges.push(gauge(share, read(|total, available| percent(total.saturating_sub(available), total))));
        gauges.push(gauge(
            bytes("used", DISK_BYTES, "Space in use on"),
            read(|total, available| Some(total.saturating_sub(available) as f64)),
        ));
        gauges.push(gauge(bytes("total", DISK_SIZE, "Size of"), read(|total, _| Some(total as f64))));
    }
    gauges
}

fn network(probe: &Probe) -> Vec<Gauge> {
    let rate = |name: String, text: String| KeySpec::number(name, RATE, "B/s", text);
    let received: fn(Traffic<f64>) -> f64 = |traffic| traffic.received;
    let sent: fn(Traffic<f64>) -> f64 = |traffic| traffic.sent;
    let mut gauges = Vec::new();
    for (end, word, pick) in [("rx", "received", received), ("tx", "sent", sent)] {
        let key = rate(format!("net_{end}"), format!("Bytes {word} per second, loopback left out"));
        gauges.push(gauge(key, move |probe| probe.network.total().map(pick)));
    }
    for interface in probe.network.interfaces() {
        for (end, word, pick) in [("rx", "received", received), ("tx", "sent", sent)] {
            let name = format!("net_{}_{end}", slug(interface));
            let key = rate(name, format!("Bytes {word} per second by {interface}"));
            let interface = interface.to_owned();
            gauges.push(gauge(key, move |probe| probe.network.rate(&interface).map(pick)));
        }
    }
    gauges
}

fn temperatures(probe: &Probe) -> Vec<Gauge> {
    let key = |name: String, text: String| KeySpec::number(name, CELSIUS, "°C", text);
    let text = "Temperature of the processor, or else of the hottest part";
    let mut gauges = vec![gauge(key("temperature".into(), text.into()), |probe| {
        let sensors: Vec<(&str, f64)> = probe.sensors.iter().filter_map(named).collect();
        main_temperature(&sensors)
    })];
    for (index, sensor) in probe.sensors.iter().enumerate() {
        let Some((name, _)) = named(sensor) else { continue };
        let key = key(format!("temperature_{}", slug(name)), format!("Temperature of {name}"));
        gauges.push(gauge(key, move |probe| Some(named(probe.sensors.get(index)?)?.1)));
    }
    gauges
}

fn named(sensor: &Component) -> Option<(&str, f64)> {
    let name = if sensor.label().is_empty() { sensor.id()? } else { sensor.label() };
    let celsius = sensor.temperature().filter(|celsius| celsius.is_finite())?;
    Some((name, f64::from(celsius)))
}

/// The processor's temperature if some sensor is known to be its, else the highest.
fn main_temperature(sensors: &[(&str, f64)]) -> Option<f64> {
    let of_cpu = CPU_SENSORS.iter().find_map(|part| sensors.iter().find(|(name, _)| name.contains(part)));
    let hottest = || sensors.iter().max_by(|a, b| a.1.total_cmp(&b.1));
    of_cpu.or_else(hottest).map(|(_, celsius)| *celsius)
}

fn general() -> Vec<Gauge> {
    let load = |minutes| {
        let text = format!("Programs that ran or waited to run, mean over {minutes} min");
        KeySpec::number(format!("load_{minutes}"), (0.0, 8.0), "", text)
    };
    let uptime = KeySpec::number("uptime", (0.0, 2_592_000.0), "s", "Time since the machine was started");
    let host = KeySpec::text("host", "The machine's name");
    vec![
        gauge(load(1), |probe| Some(probe.load.as_ref()?.one)),
        gauge(load(5), |probe| Some(probe.load.as_ref()?.five)),
        gauge(load(15), |probe| Some(probe.load.as_ref()?.fifteen)),
        gauge(uptime, |probe| probe.uptime_s.map(|seconds| seconds as f64)),
        Gauge { key: host, read: Box::new(|probe| probe.host.as_deref().map(Value::from)) },
    ]
}

fn percent(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64 * 100.0)
}

/// A name as a part of an identifier: lower-case letters, digits and single underscores.
fn slug(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs() {
        let check = |name, expected: &str| assert_eq!(slug(name), expected, "{name}");
        check("eth0", "eth0");
        check("/boot/firmware", "boot_firmware");
        check("coretemp Package id 0", "coretemp_package_id_0");
        check("nvme Composite  Samsung-SSD", "nvme_composite_samsung_ssd");
        check("/mnt/ü", "mnt");
    }

    #[test]
    fn the_processor_is_preferred_to_the_hottest() {
        let check = |sensors: &[(&str, f64)], expected| assert_eq!(main_temperature(sensors), expected);
        check(&[], None);
        check(&[("nvme Composite", 71.0), ("acpitz temp1", 40.0)], Some(71.0));
        check(&[("nvme Composite", 71.0), ("k10temp Tctl", 55.0)], Some(55.0));
        check(&[("coretemp Core 0", 50.0), ("coretemp Package id 0", 52.0)], Some(52.0));
        check(&[("cpu_thermal temp1", 48.5), ("gpu", 90.0)], Some(48.5));
    }

    #[test]
    fn percentages() {
        assert_eq!(percent(1, 4), Some(25.0));
        assert_eq!(percent(0, 0), None);
    }
}
