//! The ring: the bounded buffer of recent samples.

/// How much a ring keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most samples.
    pub samples: usize,
    /// The most bytes, texts included.
    pub bytes: usize,
    /// The most keys.
    pub keys: usize,
}

impl Default for Limits {
    /// 10,000 samples, 15 MB, 4,096 keys.
    fn default() -> Limits {
        Limits { samples: 10_000, bytes: 15_000_000, keys: 4_096 }
    }
}
