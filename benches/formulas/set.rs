//! The formulas that are measured, here and beside the peers: four kinds, as people write them. Each reads
//! two of as many keys as there are formulas.

/// How many kinds there are.
pub const KINDS: usize = 4;

/// The keys that a formula reads.
pub fn keys(index: usize, count: usize) -> [usize; 2] {
    [index, (index + 1) % count]
}

/// A formula in tinydisplay's language, over keys `k0`, `k1` and so on.
pub fn text(index: usize, count: usize) -> String {
    let [x, y] = keys(index, count);
    match index % KINDS {
        0 => format!("if(k{x} > 50, k{x} * 0.25, k{y} + 1)"),
        1 => format!("round(abs(k{x} - 220) / 220 * 100)"),
        2 => format!("max(0, min(100, k{x})) + k{y} * 2"),
        _ => format!("k{x} > 80 and k{y} < 20"),
    }
}

/// What it comes to, in Rust and without care: no missing values, no errors.
pub fn plain(kind: usize, x: f64, y: f64) -> f64 {
    match kind % KINDS {
        0 if x > 50.0 => x * 0.25,
        0 => y + 1.0,
        1 => ((x - 220.0).abs() / 220.0 * 100.0).round(),
        2 => x.clamp(0.0, 100.0) + y * 2.0,
        _ => f64::from(u8::from(x > 80.0 && y < 20.0)),
    }
}

/// What a key holds at a tick. About every fiftieth condition turns from one tick to the next.
pub fn value(key: usize, tick: u64) -> f64 {
    ((tick + 37 * key as u64) % 100) as f64 + 0.5
}
