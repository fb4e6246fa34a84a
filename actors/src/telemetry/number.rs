//! Numbers that are exported and can be read here as well: what the studio shows is what Prometheus gets,
//! and nobody parses a text for it. Each costs one more relaxed addition than the bare handle.
//!
//! ```
//! use std::time::Duration;
//! use actors::telemetry::number::Histogram;
//!
//! let paint = Histogram::noop();
//! paint.record(Duration::from_micros(300));
//! let before = paint.distribution();
//! (0..100).for_each(|_| paint.record(Duration::from_micros(150)));
//! let lately = paint.distribution().since(&before);
//! assert_eq!(lately.count(), 100);
//! assert_eq!(lately.quantile(0.5).as_micros(), 155); // within 6.3 %
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use metrics::IntoF64;

/// A count that only grows.
#[derive(Clone)]
pub struct Counter {
    exported: metrics::Counter,
    total: Arc<AtomicU64>,
}

impl Counter {
    /// One that is exported as `exported`.
    pub fn new(exported: metrics::Counter) -> Counter {
        Counter { exported, total: Arc::default() }
    }

    /// One that is exported nowhere.
    pub fn noop() -> Counter {
        Counter::new(metrics::Counter::noop())
    }

    /// Adds to it.
    pub fn increment(&self, by: u64) {
        self.exported.increment(by);
        self.total.fetch_add(by, Ordering::Relaxed);
    }

    /// Raises it to `total`, which somebody else has counted.
    pub fn absolute(&self, total: u64) {
        self.exported.absolute(total);
        self.total.fetch_max(total, Ordering::Relaxed);
    }

    /// What it has come to.
    pub fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }
}

/// A number as it is now; 0 until it is first set.
#[derive(Clone)]
pub struct Gauge {
    exported: metrics::Gauge,
    bits: Arc<AtomicU64>,
}

impl Gauge {
    /// One that is exported as `exported`.
    pub fn new(exported: metrics::Gauge) -> Gauge {
        Gauge { exported, bits: Arc::default() }
    }

    /// One that is exported nowhere.
    pub fn noop() -> Gauge {
        Gauge::new(metrics::Gauge::noop())
    }

    /// Sets it.
    pub fn set(&self, value: f64) {
        self.exported.set(value);
        self.bits.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Adds to it.
    pub fn increment(&self, by: f64) {
        self.exported.increment(by);
        let sum = |bits| Some((f64::from_bits(bits) + by).to_bits());
        // The closure never says no.
        let _ = self.bits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, sum);
    }

    /// Takes from it.
    pub fn decrement(&self, by: f64) {
        self.increment(-by);
    }

    /// What it is.
    pub fn value(&self) -> f64 {
        f64::from_bits(self.bits.load(Ordering::Relaxed))
    }
}

/// Buckets in each doubling of time.
const STEPS: u64 = 8;

/// The finest step, as a power of two of nanoseconds: 128 ns.
const UNIT_BITS: u32 = 7;

/// As many as go to 68.7 s; what took longer counts as that.
const BUCKETS: usize = 216;

/// How long something took, over and over. It can be read with a resolution of 128 ns below 2 µs and of one
/// eighth of the time above that: what is read differs by at most 64 ns or 6.3 % from what was recorded. It
/// takes 900 bytes, however much is recorded.
#[derive(Clone)]
pub struct Histogram {
    exported: metrics::Histogram,
    tally: Arc<Tally>,
}

struct Tally {
    counts: [AtomicU32; BUCKETS],
    sum_ns: AtomicU64,
}

impl Histogram {
    /// One that is exported as `exported`.
    pub fn new(exported: metrics::Histogram) -> Histogram {
        let tally = Tally { counts: [const { AtomicU32::new(0) }; BUCKETS], sum_ns: AtomicU64::new(0) };
        Histogram { exported, tally: Arc::new(tally) }
    }

    /// One that is exported nowhere.
    pub fn noop() -> Histogram {
        Histogram::new(metrics::Histogram::noop())
    }

    /// Records a time, as a [`Duration`] or in seconds.
    pub fn record(&self, seconds: impl IntoF64) {
        let seconds = seconds.into_f64();
        self.exported.record(seconds);
        // Times below 0 and those that are no numbers become 0.
        let ns = (seconds * 1e9) as u64;
        self.tally.counts[bucket_of(ns)].fetch_add(1, Ordering::Relaxed);
        self.tally.sum_ns.fetch_add(ns, Ordering::Relaxed);
    }

    /// All that was recorded so far.
    pub fn distribution(&self) -> Distribution {
        let counts = self.tally.counts.each_ref().map(|count| count.load(Ordering::Relaxed));
        Distribution { counts: Box::new(counts), sum_ns: self.tally.sum_ns.load(Ordering::Relaxed) }
    }
}

/// How recorded times were distributed. By default there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    counts: Box<[u32; BUCKETS]>,
    sum_ns: u64,
}

impl Default for Distribution {
    fn default() -> Distribution {
        Distribution { counts: Box::new([0; BUCKETS]), sum_ns: 0 }
    }
}

impl Distribution {
    /// What was recorded after `earlier`, which is of the same histogram. Counts may wrap meanwhile.
    pub fn since(&self, earlier: &Distribution) -> Distribution {
        let pairs = |index: usize| self.counts[index].wrapping_sub(earlier.counts[index]);
        Distribution {
            counts: Box::new(std::array::from_fn(pairs)),
            sum_ns: self.sum_ns.wrapping_sub(earlier.sum_ns),
        }
    }

    /// How many times were recorded.
    pub fn count(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// All times together, exact.
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_ns)
    }

    /// The time that a share of `q` (0 to 1) of the recorded ones did not exceed; zero where there are none.
    pub fn quantile(&self, q: f64) -> Duration {
        let rank = (q.clamp(0.0, 1.0) * self.count() as f64).ceil().max(1.0) as u64;
        let mut below = 0;
        for (index, count) in self.counts.iter().enumerate() {
            below += u64::from(*count);
            if below >= rank {
                return Duration::from_nanos(u64::midpoint(lower_end(index), lower_end(index + 1)));
            }
        }
        Duration::ZERO
    }
}

fn bucket_of(ns: u64) -> usize {
    let units = ns >> UNIT_BITS;
    let doublings = (units | (STEPS - 1)).ilog2().saturating_sub(STEPS.ilog2());
    let index = u64::from(doublings) * STEPS + (units >> doublings);
    (index as usize).min(BUCKETS - 1)
}

/// The least nanoseconds of the bucket at `index`.
fn lower_end(index: usize) -> u64 {
    let index = index as u64;
    let doublings = (index / STEPS).saturating_sub(1);
    (index - doublings * STEPS) << doublings << UNIT_BITS
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn recorded(ns: &[u64]) -> Distribution {
        let histogram = Histogram::noop();
        ns.iter().for_each(|ns| histogram.record(Duration::from_nanos(*ns)));
        histogram.distribution()
    }

    #[test]
    fn buckets_follow_each_other() {
        for index in 0..BUCKETS {
            let (first, next) = (lower_end(index), lower_end(index + 1));
            assert!(first < next, "bucket {index}");
            assert_eq!((bucket_of(first), bucket_of(next - 1)), (index, index), "bucket {index}");
            assert!((next - first) <= (first / STEPS).max(1 << UNIT_BITS), "bucket {index} is too wide");
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
        assert_eq!(lower_end(BUCKETS), 1 << 36);
    }

    proptest! {
        /// Any quantile is as near to the recorded one as the documentation says.
        #[test]
        fn quantiles_are_near(mut ns in prop::collection::vec(0..60_000_000_000u64, 1..50), q in 0.0..1.0f64) {
            let read = recorded(&ns).quantile(q).as_nanos() as f64;
            ns.sort_unstable();
            let rank = ((q * ns.len() as f64).ceil() as usize).max(1);
            let exact = ns[rank - 1] as f64;
            prop_assert!((read - exact).abs() <= (exact * 0.0625).max(64.0) + 1.0, "{} for {}", read, exact);
        }
    }

    #[test]
    fn a_window_is_what_came_after() {
        let histogram = Histogram::noop();
        (0..5).for_each(|_| histogram.record(2.0));
        let before = histogram.distribution();
        (0..3).for_each(|_| histogram.record(Duration::from_millis(1)));
        let window = histogram.distribution().since(&before);
        assert_eq!((window.count(), window.sum()), (3, Duration::from_millis(3)));
        assert_eq!(window.quantile(1.0), recorded(&[1_000_000]).quantile(0.5));
        assert_eq!(before.since(&before), Distribution::default());
        assert_eq!(Distribution::default().quantile(0.99), Duration::ZERO);
    }

    #[test]
    fn what_is_no_time_counts_as_none() {
        let histogram = Histogram::noop();
        [-1.0, f64::NAN].iter().for_each(|seconds| histogram.record(*seconds));
        histogram.record(f64::INFINITY);
        let all = histogram.distribution();
        assert_eq!((all.count(), all.quantile(0.5).as_nanos()), (3, 64));
        assert!(all.quantile(1.0) > Duration::from_secs(60));
    }

    #[test]
    fn counters_and_gauges_can_be_read() {
        let counter = Counter::noop();
        let twin = counter.clone();
        counter.increment(3);
        twin.absolute(2);
        assert_eq!(twin.total(), 3);
        twin.absolute(10);
        assert_eq!(counter.total(), 10);

        let gauge = Gauge::noop();
        assert_eq!(gauge.value(), 0.0);
        gauge.set(1.5);
        gauge.increment(2.0);
        gauge.clone().decrement(0.5);
        assert_eq!(gauge.value(), 3.0);
    }
}
