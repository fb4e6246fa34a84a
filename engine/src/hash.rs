//! Seeded hashes: the engine's only randomness, and the identity of a frame.

use alloc::boxed::Box;

use xxhash_rust::xxh3::{Xxh3, xxh3_64, xxh3_64_with_seed};

/// XXH3-64 of `bytes`: the identity of a painted frame in `--hash` and in recordings.
pub fn of(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// XXH3-64 of bytes that come piece by piece.
///
/// ```
/// let mut hash = engine::hash::Running::default();
/// hash.update(b"tiny");
/// hash.update(b"display");
/// assert_eq!(hash.value(), engine::hash::of(b"tinydisplay"));
/// ```
#[derive(Clone, Default)]
pub struct Running(Box<Xxh3>);

impl Running {
    /// Takes the next piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The hash of all pieces so far.
    pub fn value(&self) -> u64 {
        self.0.digest()
    }
}

/// A pseudo-random number in [0, 1) that depends on its arguments alone: the same on every machine
/// and in every run. `stream` tells independent users of one seed apart.
///
/// ```
/// assert_eq!(engine::hash::unit(7, 1, 42), engine::hash::unit(7, 1, 42));
/// ```
pub fn unit(seed: u64, stream: u64, index: u64) -> f64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&stream.to_le_bytes());
    bytes[8..].copy_from_slice(&index.to_le_bytes());
    // The upper 53 bits are all that a double in [0, 1) can hold.
    (xxh3_64_with_seed(&bytes, seed) >> 11) as f64 / (1u64 << 53) as f64
}
