//! Rates: how often an address may ask for what costs something. A bucket for each address, which fills
//! with time; the table of buckets is bounded.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::limits::BURST_SECONDS;

/// The most addresses that are told apart. Beyond them the one that has asked the least counts as new.
const ADDRESSES_MAX: usize = 1_024;

/// Buckets by address.
pub(super) struct Rate {
    per_second: u32,
    buckets: Mutex<BTreeMap<IpAddr, Bucket>>,
}

/// What an address has used up: drains by `per_second`.
struct Bucket {
    used: f64,
    at: Instant,
}

impl Rate {
    pub(super) fn new(per_second: u32) -> Rate {
        Rate { per_second, buckets: Mutex::default() }
    }

    /// Takes one request of `address`.
    ///
    /// # Errors
    /// How long it has to wait.
    pub(super) fn take(&self, address: IpAddr, now: Instant) -> Result<(), Duration> {
        let (rate, most) = (f64::from(self.per_second), f64::from(self.per_second * BURST_SECONDS));
        let left = |bucket: &Bucket| {
            let drained = now.saturating_duration_since(bucket.at).as_secs_f64() * rate;
            (bucket.used - drained).max(0.0)
        };
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let address = block(address);
        if buckets.len() >= ADDRESSES_MAX && !buckets.contains_key(&address) {
            buckets.retain(|_, bucket| left(bucket) > 0.0);
            let least = buckets.iter().min_by(|a, b| left(a.1).total_cmp(&left(b.1)));
            if let Some(least) = least.map(|(address, _)| *address).filter(|_| buckets.len() >= ADDRESSES_MAX)
            {
                buckets.remove(&least);
            }
        }
        let bucket = buckets.entry(address).or_insert(Bucket { used: 0.0, at: now });
        let used = left(bucket);
        if used + 1.0 > most {
            *bucket = Bucket { used, at: now };
            return Err(Duration::from_secs_f64((used + 1.0 - most) / rate));
        }
        *bucket = Bucket { used: used + 1.0, at: now };
        Ok(())
    }
}

/// What counts as one address: of IPv6 the first 64 bits, since who has one has them all.
pub(super) fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_bucket_fills_with_time() {
        let (rate, start) = (Rate::new(10), Instant::now());
        let one = address("192.0.2.1");
        for asked in 0..20 {
            assert_eq!(rate.take(one, start), Ok(()), "{asked}");
        }
        assert_eq!(rate.take(one, start), Err(Duration::from_millis(100)));
        assert_eq!(rate.take(address("192.0.2.2"), start), Ok(()), "another address has its own");
        let later = start + Duration::from_millis(250);
        assert_eq!([0; 3].map(|_| rate.take(one, later).is_ok()), [true, true, false]);
        let much_later = start + Duration::from_secs(3_600);
        assert_eq!((0..40).filter(|_| rate.take(one, much_later).is_ok()).count(), 20);
    }

    #[test]
    fn addresses_are_bounded() {
        let (rate, start) = (Rate::new(1), Instant::now());
        let busy = address("192.0.2.1");
        assert_eq!((rate.take(busy, start), rate.take(busy, start)), (Ok(()), Ok(())));
        for n in 0..2 * ADDRESSES_MAX as u32 {
            assert!(rate.take(IpAddr::V4((n | 0x0a00_0000).into()), start).is_ok());
        }
        assert_eq!(rate.buckets.lock().unwrap().len(), ADDRESSES_MAX);
        assert!(rate.take(busy, start).is_err(), "who asks much is not forgotten");
    }

    #[test]
    fn a_network_counts_as_one_address() {
        for (a, b, same) in [
            ("192.0.2.1", "192.0.2.2", false),
            ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("2001:db8::1", "2001:db8::ffff:2", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
        ] {
            assert_eq!(block(address(a)) == block(address(b)), same, "{a} {b}");
        }
    }
}
