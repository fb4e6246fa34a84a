//! Network traffic from `/proc/net/dev`: one file for all interfaces, where sysinfo opens ten for each.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

/// Interfaces that only pass on what another one of this machine sends or receives, by the beginning of
/// their names: counted in the total, it would count twice.
const PASSING_ON: [&str; 10] =
    ["br-", "docker", "dummy", "ifb", "lxcbr", "tap", "tun", "veth", "virbr", "wg"];

/// Interfaces that come and go with each container: they have no keys of their own.
const FLEETING: &str = "veth";

/// Traffic of all interfaces but loopback.
#[derive(Debug, Default)]
pub(super) struct Network {
    counted: BTreeMap<String, Traffic<u64>>,
    counted_at: Duration,
    rates: BTreeMap<String, Traffic<f64>>,
}

/// Bytes in either direction.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Traffic<T> {
    pub(super) received: T,
    pub(super) sent: T,
}

impl Network {
    /// The interfaces that are worth keys of their own, by name.
    pub(super) fn interfaces(&self) -> impl Iterator<Item = &str> {
        self.counted.keys().map(String::as_str).filter(|name| !name.starts_with(FLEETING))
    }

    /// Bytes per second through one interface between the last two refreshes; `None` before there were
    /// two, or while the interface is gone.
    pub(super) fn rate(&self, interface: &str) -> Option<Traffic<f64>> {
        self.rates.get(interface).copied()
    }

    /// The sum over all interfaces that face the outside.
    pub(super) fn total(&self) -> Option<Traffic<f64>> {
        let facing_out = |name: &str| !PASSING_ON.iter().any(|start| name.starts_with(start));
        self.rates
            .iter()
            .filter(|(name, _)| facing_out(name))
            .map(|(_, traffic)| *traffic)
            .reduce(|a, b| Traffic { received: a.received + b.received, sent: a.sent + b.sent })
    }

    /// Reads the counters at `now`. Where they cannot be read there are no rates.
    pub(super) fn refresh(&mut self, now: Duration) {
        self.count(parse(&fs::read_to_string("/proc/net/dev").unwrap_or_default()), now);
    }

    fn count(&mut self, counted: BTreeMap<String, Traffic<u64>>, now: Duration) {
        let seconds = now.saturating_sub(self.counted_at).as_secs_f64();
        self.rates.clear();
        for (name, new) in &counted {
            let Some(old) = self.counted.get(name) else { continue };
            // Counters begin anew when an interface is set up anew.
            let rate = |old: u64, new: u64| new.saturating_sub(old) as f64 / seconds;
            if seconds > 0.0 {
                let (received, sent) = (rate(old.received, new.received), rate(old.sent, new.sent));
                self.rates.insert(name.clone(), Traffic { received, sent });
            }
        }
        self.counted = counted;
        self.counted_at = now;
    }
}

/// The counters of all interfaces but loopback; lines that are none are passed over.
fn parse(text: &str) -> BTreeMap<String, Traffic<u64>> {
    let line = |line: &str| {
        let (name, counters) = line.split_once(':')?;
        let mut counters = counters.split_ascii_whitespace().map(str::parse);
        let received = counters.next()?.ok()?;
        let sent = counters.nth(7)?.ok()?;
        Some((name.trim().to_owned(), Traffic { received, sent }))
    };
    text.lines().filter_map(line).filter(|(name, _)| name != "lo").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Inter-|   Receive                |  Transmit\n face |bytes packets|bytes packets\n";

    fn counters(lines: &[(&str, u64, u64)]) -> BTreeMap<String, Traffic<u64>> {
        let line = |(name, received, sent): &(&str, u64, u64)| {
            format!("{name:>6}: {received} 9 0 0 0 0 0 0 {sent} 8 0 0 0 0 0 0\n")
        };
        parse(&(HEADER.to_owned() + &lines.iter().map(line).collect::<String>()))
    }

    #[test]
    fn rates_are_bytes_per_second() {
        let mut network = Network::default();
        network.count(counters(&[("lo", 5, 5), ("eth0", 1_000, 10)]), Duration::from_secs(10));
        assert_eq!(network.total(), None);
        assert_eq!(network.interfaces().collect::<Vec<_>>(), ["eth0"]);

        network.count(counters(&[("lo", 9, 9), ("eth0", 4_000, 15)]), Duration::from_secs(12));
        assert_eq!(network.total(), Some(Traffic { received: 1_500.0, sent: 2.5 }));
        assert_eq!(network.rate("lo"), None);
    }

    #[test]
    fn the_total_counts_nothing_twice() {
        let names = ["eth0", "wlan0", "docker0", "veth1a2b", "br-12", "wg0"];
        let at = |bytes| names.map(|name| (name, bytes, bytes));
        let mut network = Network::default();
        network.count(counters(&at(0)), Duration::from_secs(1));
        network.count(counters(&at(100)), Duration::from_secs(2));
        assert_eq!(network.total(), Some(Traffic { received: 200.0, sent: 200.0 }));
        assert_eq!(network.rate("wg0"), Some(Traffic { received: 100.0, sent: 100.0 }));
        assert!(network.interfaces().all(|name| name != "veth1a2b"));
    }

    #[test]
    fn interfaces_come_go_and_begin_anew() {
        let mut network = Network::default();
        let second = Duration::from_secs(1);
        network.count(counters(&[("eth0", 500, 500), ("usb0", 1, 1)]), second);
        network.count(counters(&[("eth0", 100, 600), ("wlan0", 7, 7)]), second * 2);
        assert_eq!(network.rate("eth0"), Some(Traffic { received: 0.0, sent: 100.0 }));
        assert_eq!(network.rate("usb0"), None);
        assert_eq!(network.rate("wlan0"), None);
        // Twice in one moment: no rate rather than an infinite one.
        network.count(counters(&[("eth0", 900, 900)]), second * 2);
        assert_eq!(network.total(), None);
    }

    #[test]
    fn what_is_no_counter_is_passed_over() {
        for text in ["", ":", "eth0:", "eth0: 1 2 3", "eth0: x 0 0 0 0 0 0 0 1", "\u{0}:::\n"] {
            assert_eq!(parse(text).len(), 0, "{text:?}");
        }
    }
}
