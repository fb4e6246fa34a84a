//! What a message costs: through actix's `do_send`, ractor, kameo and a bounded flume channel, each from one
//! thread to another, in one run.
//!
//! - *hop*: how long a message of 64 bytes takes to a receiver that is idle, from before it is sent until it
//!   is handled;
//! - *throughput*: how many a second one producer gets through to the receiver.

mod measure;
mod peer;

use measure::{Hops, table};
use peer::{Actix, Flume, Kameo, Peer, Ractor};

/// Messages of a throughput run.
const MESSAGES: u64 = 1_000_000;

/// Messages of a latency run.
const HOPS: usize = 5_000;

/// Runs of each, of which the median counts.
const ROUNDS: usize = 5;

fn main() {
    let peers: [(&str, fn() -> Box<dyn Peer>); 4] = [
        ("flume, bounded", || Box::new(Flume::start())),
        ("actix do_send", || Box::new(Actix::start())),
        ("kameo tell", || Box::new(Kameo::start())),
        ("ractor cast", || Box::new(Ractor::start())),
    ];
    let rows = peers
        .map(|(name, start)| (name, Hops::of(start, HOPS), measure::throughput(start, MESSAGES, ROUNDS)));
    table(&rows);
}
