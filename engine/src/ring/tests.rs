use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::sample::SourceId;

fn sample(key: u32, number: u64, timestamp_ms: i64) -> Sample {
    let value = Value::Number(number as f64);
    Sample { source: SourceId(0), key: KeyId(key), value, timestamp_ms, sequence: number }
}

fn ring(samples: usize) -> Ring {
    Ring::new(Limits { samples, ..Limits::default() })
}

fn sequences<'a>(samples: impl Iterator<Item = &'a Sample>) -> Vec<u64> {
    samples.map(|sample| sample.sequence).collect()
}

#[test]
fn readers_find_what_is_kept() {
    let mut ring = ring(4);
    for (number, key) in [0, 1, 0, 0, 0, 0].into_iter().enumerate() {
        ring.push(sample(key, number as u64, 10 * number as i64));
    }
    assert_eq!(sequences(ring.latest_batch(2)), [4, 5]);
    assert_eq!(sequences(ring.latest_batch(99)), [2, 3, 4, 5]);
    assert_eq!(sequences(ring.since(4)), [4, 5], "inclusive");
    assert_eq!(sequences(ring.since(0)), [2, 3, 4, 5]);
    assert_eq!(sequences(ring.since(99)), []);
    assert_eq!(sequences(ring.since_timestamp(40)), [4, 5], "inclusive");
    assert_eq!(sequences(ring.window(KeyId(0), 20, 50)), [4, 5], "without its start, with its end");
    assert_eq!(sequences(ring.window(KeyId(0), 20, 40)), [3, 4], "nothing from after its end");
    assert_eq!(ring.latest(KeyId(0)).map(|s| s.sequence), Some(5));
    assert_eq!(ring.latest(KeyId(1)), None, "overwritten");
    assert_eq!(ring.latest(KeyId(7)), None, "unheard of");
    assert_eq!((ring.overwritten(KeyId(0)), ring.overwritten(KeyId(1))), (1, 1));
}

#[test]
fn late_timestamps_keep_their_place() {
    let mut ring = ring(9);
    ring.push_batch([sample(0, 0, 50), sample(0, 1, 20), sample(0, 2, 60)]);
    assert_eq!(sequences(ring.window(KeyId(0), 45, 60)), [0, 1, 2]);
    assert_eq!(sequences(ring.window(KeyId(0), 15, 60)), [0, 2]);
}

#[test]
fn bytes_bound_texts() {
    let text = Value::Text("x".repeat(1_000).into());
    let mut ring = Ring::new(Limits { bytes: 10_000, ..Limits::default() });
    for number in 0..100 {
        ring.push(Sample { value: text.clone(), ..sample(0, number, 0) });
        assert!(ring.bytes() <= 10_000);
    }
    assert!(ring.len() >= 9, "{}", ring.len());
    ring.push(Sample { value: Value::Text("x".repeat(20_000).into()), ..sample(0, 100, 0) });
    assert_eq!(ring.len(), 1, "larger than the ring: kept alone");
    ring.push(sample(0, 101, 0));
    assert_eq!(sequences(ring.since(0)), [101]);
}

proptest! {
    /// Against the plainest model: a list of everything that ever arrived.
    #[test]
    fn behaves_as_a_list(
        capacity in 1_usize..20,
        steps in prop::collection::vec((0_u32..4, prop::bool::ANY), 0..200),
    ) {
        let mut ring = ring(capacity);
        let mut all: Vec<Sample> = Vec::new();
        let mut cursor = Cursor::default();
        let mut unread_from = 0;
        for (number, (key, reads)) in steps.into_iter().enumerate() {
            let new = sample(key, number as u64, number as i64);
            ring.push(new.clone());
            all.push(new);
            let kept_from = all.len().saturating_sub(capacity);
            prop_assert_eq!(ring.len(), all.len() - kept_from);
            let newest = all[kept_from..].iter().rev().find(|s| s.key == KeyId(key));
            prop_assert_eq!(ring.latest(KeyId(key)), newest);
            let overwritten = all[..kept_from].iter().filter(|s| s.key == KeyId(key)).count();
            prop_assert_eq!(ring.overwritten(KeyId(key)), overwritten as u64);
            if reads {
                let (missed, unread) = ring.read(&mut cursor);
                let start = unread_from.max(kept_from);
                prop_assert_eq!(missed as usize, start - unread_from);
                prop_assert_eq!(sequences(unread), sequences(all[start..].iter()));
                unread_from = all.len();
            }
        }
    }
}
