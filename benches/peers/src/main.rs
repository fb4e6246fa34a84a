//! What a message costs: through tinydisplay's own way from a source into the ring, and through actix's
//! `do_send`, ractor, kameo and a bounded flume channel, each from one thread to another, in one run.
//!
//! - *hop*: how long a message of 64 bytes takes to a receiver that is idle, from before it is sent until it
//!   is handled;
//! - *throughput*: how many a second one producer gets through to the receiver.
//!
//! tinydisplay's are whole: the port's fence, number and place, the journal, the checks on arrival, the ring
//! itself, sixty ticks a second and all counters. The others do nothing with their messages.

mod measure;
mod peer;
mod runtime;

use measure::{Hops, table};
use peer::Peer;
use runtime::Readings;

/// Messages of a throughput run.
const MESSAGES: u64 = 1_000_000;

/// Messages of a latency run.
const HOPS: usize = 5_000;

/// Runs of each, of which the median counts.
const ROUNDS: usize = 5;

fn main() {
    let peers: [(&str, fn() -> Box<dyn Peer>); 6] = [
        ("flume, bounded", peer::flume_channel),
        ("actix do_send", peer::actix_actor),
        ("kameo tell", peer::kameo_actor),
        ("ractor cast", peer::ractor_actor),
        ("tinydisplay, source to ring", || Box::new(Readings::start(1))),
        ("tinydisplay, batches of 100", || Box::new(Readings::start(100))),
    ];
    let rows = peers
        .map(|(name, start)| (name, Hops::of(start, HOPS), measure::throughput(start, MESSAGES, ROUNDS)));
    table(&rows);
}
