//! Timing, and the table of results.

use std::thread;
use std::time::{Duration, Instant};

use crate::peer::{Message, Peer};

/// How long hops took.
pub struct Hops {
    pub p50: Duration,
    pub p99: Duration,
}

impl Hops {
    /// Sends `count` messages, each after the one before was handled and its receiver had time to fall asleep.
    pub fn of(start: fn() -> Box<dyn Peer>, count: usize) -> Hops {
        let mut peer = start();
        let mut hops = Vec::with_capacity(count);
        for sequence in 0..count as u64 {
            thread::sleep(Duration::from_micros(200));
            peer.send(Message::new(sequence));
            peer.flush();
            wait(&*peer, sequence + 1);
            hops.push(peer.last_hop());
        }
        peer.end();
        hops.sort();
        let at = |share: f64| hops[((hops.len() - 1) as f64 * share) as usize];
        Hops { p50: at(0.5), p99: at(0.99) }
    }
}

/// Messages a second, the median of `rounds`.
pub fn throughput(start: fn() -> Box<dyn Peer>, count: u64, rounds: usize) -> f64 {
    let mut rates: Vec<f64> = (0..rounds)
        .map(|_| {
            let mut peer = start();
            let began = Instant::now();
            (0..count).for_each(|sequence| peer.send(Message::new(sequence)));
            peer.flush();
            wait(&*peer, count);
            let rate = count as f64 / began.elapsed().as_secs_f64();
            peer.end();
            rate
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn wait(peer: &dyn Peer, count: u64) {
    while peer.handled() < count {
        thread::yield_now();
    }
}

/// Prints the results beside the first row's.
pub fn table(rows: &[(&str, Hops, f64)]) {
    let (_, first, rate) = &rows[0];
    println!(
        "| | hop p50 | hop p99 | messages a second | hop, ratio | rate, ratio |\n|---|---|---|---|---|---|"
    );
    for (name, hops, each) in rows {
        println!(
            "| {name} | {:.1} µs | {:.1} µs | {:.2} M | {:.2} | {:.2} |",
            hops.p50.as_secs_f64() * 1e6,
            hops.p99.as_secs_f64() * 1e6,
            each / 1e6,
            hops.p50.as_secs_f64() / first.p50.as_secs_f64(),
            each / rate,
        );
    }
}
