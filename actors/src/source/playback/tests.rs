//! Playback as a whole: files in, readings and their times out.

use std::fs;

use engine::sample::SourceId;
use tokio::sync::watch;

use super::*;
use crate::fault::Faults;
use crate::source::port::{Doorbell, PORT_READINGS};
use crate::source::rig::{self, Rig, Run};
use crate::source::{Kind, Policy, Port};
use crate::supervisor::fence::Fence;
use crate::supervisor::worker;
use crate::world::World;

const MS: Duration = Duration::from_millis(1);

struct Case {
    folder: tempfile::TempDir,
    options: Options,
}

/// A file of this name and content, played once at the speed it was recorded at.
fn case(name: &str, content: impl AsRef<[u8]>) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, content).unwrap();
    Case { folder, options: Options { file, speed: 1.0, repeat: false } }
}

impl Case {
    fn run(&self, span: Duration) -> Run {
        Rig::new(Policy::Block).run(Kind::Playback(self.options.clone()), span)
    }

    /// Messages name the file, whose folder differs from run to run.
    fn plain(&self, error: &Error) -> String {
        error.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }
}

#[test]
fn rows_come_at_their_distance_from_the_first() {
    let check = |name, content: &str, speed, expected: &str| {
        let mut case = case(name, content);
        case.options.speed = speed;
        let run = case.run(MS * 100_000);
        assert_eq!(rig::print(&run.readings), expected, "{content}");
        assert!(matches!(run.outcome, Ok(())), "{:?}", run.outcome);
        assert_eq!(run.rejected, 0);
    };
    let csv = "time,cpu,mode\n100,1,a\n101.5,2,b\n101.5,3,b\n104,4,c\n";
    check("a.csv", csv, 1.0, "0 cpu=1 mode=a\n1500 cpu=2 mode=b\n1500 cpu=3 mode=b\n4000 cpu=4 mode=c\n");
    check("A.CSV", csv, 2.0, "0 cpu=1 mode=a\n750 cpu=2 mode=b\n750 cpu=3 mode=b\n2000 cpu=4 mode=c\n");
    // Out of order: at once, and what follows stays on time.
    check(
        "a.csv",
        "time,a\n10,1\n12,2\n11,3\n9,4\n13,5",
        1.0,
        "0 a=1\n2000 a=2\n2000 a=3\n2000 a=4\n3000 a=5\n",
    );
    let jsonl =
        "{\"time\":\"2026-01-01T00:00:00Z\",\"a\":1}\n\n{\"time\":\"2026-01-01T00:01:00Z\",\"b\":2}\n";
    check("a.jsonl", jsonl, 60.0, "0 a=1\n1000 b=2\n");
}

#[test]
fn a_repeated_round_begins_one_gap_after_the_last_row() {
    let check = |content: &str, speed, span_ms: u32, expected: &str| {
        let mut case = case("a.csv", content);
        (case.options.repeat, case.options.speed) = (true, speed);
        let run = case.run(MS * span_ms);
        assert_eq!(rig::print(&run.readings), expected, "{content}");
        assert!(matches!(run.outcome, Err(Error::Stopped)), "{:?}", run.outcome);
    };
    check(
        "time,a\n0,1\n3,2\n5,3\n",
        1.0,
        12_000,
        "0 a=1\n3000 a=2\n5000 a=3\n7000 a=1\n10000 a=2\n12000 a=3\n",
    );
    check("time,a\n7,1\n", 1.0, 2_000, "0 a=1\n1000 a=1\n2000 a=1\n");
    // However fast, a round takes a millisecond: time goes on.
    check("time,a\n7,1\n", 1e300, 2, "0 a=1\n1 a=1\n2 a=1\n");
}

#[test]
fn what_is_malformed_is_counted_and_the_rest_goes_on() {
    let content = b"time,a,b\n0,1,2\n1,\xff,2\n2,3\n3,NaN,4\nx,5,6\n4,7,8\n5,9";
    let run = case("a.csv", content).run(MS * 10_000);
    assert_eq!(rig::print(&run.readings), "0 a=1 b=2\n3000 b=4\n4000 a=7 b=8\n");
    assert_eq!(run.rejected, 5);

    let content = "{\"time\":0,\"a\":1}\n{\"time\":1,\"a\"\nnull\n{\"a\":3}\n{\"time\":4,\"a\":[5]}\n{\"time\":5,\"a\":6}";
    let run = case("a.jsonl", content).run(MS * 10_000);
    assert_eq!(rig::print(&run.readings), "0 a=1\n5000 a=6\n");
    assert_eq!(run.rejected, 4);
}

#[test]
fn a_file_that_may_come_right_is_tried_again_but_not_accepted_at_load() {
    let check = |content: &str, expected: &str, at_load: bool| {
        let case = case("a.csv", content);
        let outcome = case.run(MS).outcome.unwrap_err();
        assert!(matches!(outcome, Error::Transient(_)), "{outcome:?}");
        assert_eq!(case.plain(&outcome), expected);
        assert_eq!(keys(&case.options).is_ok(), at_load);
    };
    check("", "`a.csv` is empty; its first line must name the columns", false);
    check("time,a\n", "`a.csv` has no rows that can be read", true);
    check("time,a\nx\n", "`a.csv` has no rows that can be read", true);

    let case = case("a.csv", "");
    fs::remove_file(&case.options.file).unwrap();
    let expected = "cannot read `a.csv`: No such file or directory (os error 2)";
    let outcome = case.run(MS).outcome.unwrap_err();
    assert!(matches!(outcome, Error::Transient(_)) && case.plain(&outcome) == expected, "{outcome:?}");
    let problem = keys(&case.options).unwrap_err();
    assert!(matches!(problem, Error::Configuration(_)) && case.plain(&problem) == expected, "{problem:?}");
}

#[test]
fn what_can_never_work_is_not_tried_again() {
    let check = |case: Case, expected: &str| {
        let problem = keys(&case.options).unwrap_err();
        let outcome = case.run(MS).outcome.unwrap_err();
        for error in [problem, outcome] {
            assert!(matches!(error, Error::Configuration(_)), "{error:?}");
            assert_eq!(case.plain(&error), expected);
        }
    };
    check(case("a.txt", ""), "`a.txt`: the name of the file must end in `.csv`, `.jsonl` or `.ndjson`");
    check(
        case("a.csv", "a,b\n"),
        "`a.csv`: no column is called `timestamp` or `time`; the first line is `a,b`",
    );
    check(case("a.csv", b"time,\xff\n"), "`a.csv`: invalid UTF-8 at byte 6");
    for speed in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let mut case = case("a.csv", "time,a\n");
        case.options.speed = speed;
        check(case, &format!("`speed` must be a number above 0, and not {speed}"));
    }
}

#[test]
fn keys_are_the_columns() {
    let case = case("a.csv", "time,load,mode\n0,2,idle\n1,8,busy\n");
    let keys = keys(&case.options).unwrap();
    let load = KeySpec::number("load", (2.0, 8.0), "", "Recorded number");
    assert_eq!(keys, [load, KeySpec::text("mode", "Recorded text")]);
}

#[test]
fn a_far_row_is_waited_for_without_harm() {
    let case = case("a.csv", "time,a\n0,1\n253402300799,2\n");
    let run = case.run(MS * 1_000);
    assert_eq!(rig::print(&run.readings), "0 a=1\n");
    assert!(matches!(run.outcome, Err(Error::Stopped)));
}

#[test]
fn after_a_long_pause_it_goes_on_from_where_it_was() {
    let rows: String = (0..PORT_READINGS + 10).map(|second| format!("{second},1\n")).collect();
    let case = case("a.csv", format!("time,a\n{rows}"));
    rig::simulate(async {
        let world = World::simulated(false);
        let (port, arrivals) = Port::new(SourceId(0), world, Policy::Block, Doorbell::default());
        let (_stop, stopped) = watch::channel(false);
        let supervision = worker::Context::unsupervised(world, stopped);
        let mut context = Context::new(SourceId(0), 7, &port, supervision);
        let options = case.options.clone();
        let running = actix::spawn(async move { run(&options, &mut context).await });
        // The ring takes nothing for two hours: the port is full after a quarter of one.
        let pause = MS * 7_200_000;
        world.sleep_until(pause).await;
        assert_eq!(std::iter::from_fn(|| arrivals.take()).count(), PORT_READINGS);
        drop(port);
        let mut late = Vec::new();
        while arrivals.next().await.is_some() {
            late.push((world.now() - pause).as_secs());
        }
        // The one that waited at the port, one that is due at once, and from there on one each second.
        assert_eq!(late, [0, 0, 1, 2, 3, 4, 5, 6, 7, 8]);
        running.await.unwrap().unwrap();
    });
}

/// Plays a file for a while, then once more after something has happened to it.
fn restarted(case: &Case, span: Duration, meanwhile: impl FnOnce(&Path)) -> String {
    rig::simulate(async {
        let world = World::simulated(false);
        let (port, arrivals) = Port::new(SourceId(0), world, Policy::Block, Doorbell::default());
        let fence = Fence::default();
        let start = |generation| {
            let (stop, stopped) = watch::channel(false);
            let supervision =
                worker::Context::new(world, fence.admit(generation), Faults::default(), stopped);
            let mut context = Context::new(SourceId(0), 7, &port, supervision);
            let options = case.options.clone();
            actix::spawn(async move { run(&options, &mut context).await });
            stop
        };
        let first = start(1);
        world.sleep_until(span).await;
        first.send_replace(true);
        meanwhile(&case.options.file);
        let _second = start(2);
        world.sleep_until(span + MS * 10_000).await;
        let counts = port.counts();
        let rejected = counts.rejected.load(std::sync::atomic::Ordering::Relaxed);
        let taken = std::iter::from_fn(|| arrivals.take());
        let readings: Vec<_> = taken.map(|posted| (posted.at, posted.reading)).collect();
        rig::print(&readings) + &format!("rejected {rejected}\n")
    })
}

#[test]
fn a_file_is_played_on_unless_it_was_replaced() {
    let check = |name, content: &str, meanwhile: &dyn Fn(&Path), expected: &str| {
        let case = case(name, content);
        assert_eq!(restarted(&case, MS * 1_500, meanwhile), expected, "{content}");
    };
    let csv = "time,a\n0,1\nx,2\n1,3\n2,4\n";
    let whole = "0 a=1\n1000 a=3\n2000 a=4\nrejected 1\n";
    check("a.csv", csv, &|_| (), whole);
    // Written anew with the same content, and grown.
    check("a.csv", csv, &|file| fs::write(file, csv).unwrap(), whole);
    let grown = format!("{csv}3,5\n");
    check(
        "a.csv",
        csv,
        &|file| fs::write(file, &grown).unwrap(),
        "0 a=1\n1000 a=3\n2000 a=4\n3000 a=5\nrejected 1\n",
    );
    // Another header, another row, and a file that ends before the place.
    let check_new = |new: &str, expected: &str| {
        let expected = format!("0 a=1\n1000 a=3\n{expected}");
        check("a.csv", csv, &|file| fs::write(file, new).unwrap(), &expected);
    };
    check_new("time,b\n0,1\nx,2\n1,3\n2,4\n", "1500 b=1\n2500 b=3\n3500 b=4\nrejected 2\n");
    check_new("time,a\n0,1\nx,2\n1,9\n2,4\n", "1500 a=1\n2500 a=9\n3500 a=4\nrejected 2\n");
    check_new("time,a\n0,7\n", "1500 a=7\nrejected 1\n");
    let jsonl = "{\"time\":0,\"a\":1}\n{\"time\":1,\"a\":3}\n{\"time\":2,\"a\":4}\n";
    check("a.jsonl", jsonl, &|_| (), "0 a=1\n1000 a=3\n2000 a=4\nrejected 0\n");
    let new = jsonl.replace(":1}", ":2}");
    check(
        "a.jsonl",
        jsonl,
        &|file| fs::write(file, &new).unwrap(),
        "0 a=1\n1000 a=3\n1500 a=2\n2500 a=3\n3500 a=4\nrejected 0\n",
    );
}
