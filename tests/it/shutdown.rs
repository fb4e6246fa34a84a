//! The end of a run: all that was accepted is shown, and nobody is waited for forever.

use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use actors::fault::{Fault, Faults, Rule};
use actors::handle::Handle;
use actors::recording::Recording;
use actors::runtime::{self, Error, Face, Options, Summary, Time};
use engine::restart::Backoff;

fn run(panel: &str, folder: &Path, options: Options, started: impl FnOnce(Handle)) -> Result<Summary, Error> {
    let config = tinydisplay::config::parse("panel.toml", panel, folder).map_err(|r| r.render(false));
    runtime::run(config.unwrap().panel, options, started)
}

/// A panel whose every frame differs from the one before.
const MOVING: &str = r##"
    version = 1
    [source.wave]
    kind = "generator"
    shape = "saw"
    every = "5ms"
    [page.main]
    widgets = [{ kind = "sparkline", at = [0, 0], size = [160, 128], value = "wave.value", span = "1s", color = "#fff" }]
    [[output]]
    kind = "png"
    file = "frame.png"
    every = "1h"
"##;

#[test]
fn the_last_frame_reaches_every_output() {
    for ticks in [1, 40] {
        let folder = tempfile::tempdir().unwrap();
        let last = Arc::new(Mutex::new(Vec::new()));
        let seen = last.clone();
        let options = Options {
            ticks: Some(ticks),
            on_frame: Some(Box::new(move |_, frame| *seen.lock().unwrap() = frame.pixels().to_vec())),
            ..Options::default()
        };
        run(MOVING, folder.path(), options, |_| {}).unwrap();
        let file = std::fs::File::open(folder.path().join("frame.png")).unwrap();
        let mut image = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
        let mut pixels = vec![0; image.output_buffer_size().unwrap()];
        image.next_frame(&mut pixels).unwrap();
        assert!(pixels == *last.lock().unwrap(), "the file shows the last of {ticks} frames");
    }
}

#[test]
fn a_core_that_hangs_is_left_behind() {
    let folder = tempfile::tempdir().unwrap();
    let (release, released) = mpsc::channel::<()>();
    let (say, hanging) = mpsc::channel();
    let options = Options {
        on_frame: Some(Box::new(move |tick, _| {
            if tick.0 == 3 {
                say.send(()).unwrap();
                let _ = released.recv();
            }
        })),
        ..Options::default()
    };
    let ended = run(MOVING, folder.path(), options, |handle| {
        std::thread::spawn(move || {
            hanging.recv().unwrap();
            handle.stop.send_replace(true);
        });
    });
    assert!(matches!(&ended, Err(Error::CutShort(who)) if who.contains("`renderer`")), "{ended:?}");
    drop(release);
}

/// A face that ends the run after a second.
fn stops_after_a_second() -> Face {
    Arc::new(|context, handle| {
        Box::pin(async move {
            context.sleep_until(Duration::from_secs(1)).await;
            handle.stop.send_replace(true);
            context.stopped().await;
            Ok(())
        })
    })
}

/// Runs a panel that reads 500 times until it is told to end, with these faults; holds that all of it is sealed.
/// Returns at which ticks something was started anew.
fn assert_sealed(ring: &str, rules: &[Rule]) -> Vec<u64> {
    let folder = tempfile::tempdir().unwrap();
    let panel =
        format!("{}\n{ring}", MOVING.replace("every = \"5ms\"", "every = \"2ms\"\n on_full = \"block\""));
    let mut config = tinydisplay::config::parse("panel.toml", &panel, folder.path())
        .map_err(|report| report.render(false))
        .unwrap();
    // Whoever fails would be away for long.
    let minute = Duration::from_secs(60);
    config.panel.supervision.core.backoff = Backoff { base: minute, cap: minute, healthy: minute };
    let file = folder.path().join("run.jsonl");
    let options = Options {
        time: Time::Virtual,
        edges: true,
        face: Some(stops_after_a_second()),
        record: Some(file.clone()),
        faults: Faults::listed(rules.to_vec()),
        ..Options::default()
    };
    let summary =
        runtime::run(config.panel, options, |_| {}).unwrap_or_else(|error| panic!("{rules:?}: {error}"));
    let recording = Recording::read(&file).unwrap();
    let samples = recording.inputs.iter().flat_map(|inputs| &inputs.samples);
    let numbers: Vec<u64> = samples.map(|sample| sample.sequence).collect();
    assert!(numbers.iter().copied().eq(0..numbers.len() as u64), "{ring} {rules:?}");
    assert!((499..=502).contains(&numbers.len()), "{ring} {rules:?}: {} of 500", numbers.len());
    let traffic = summary.traffic[0];
    assert_eq!((traffic.offered, traffic.dropped, traffic.waiting), (numbers.len() as u64, 0, 0));
    let restarted = recording.inputs.iter().filter(|inputs| !inputs.restarts.is_empty());
    restarted.map(|inputs| inputs.tick).collect()
}

/// What was accepted before a stop is sealed, though the ring is too small for it, or the core is away.
#[test]
fn what_waits_in_a_port_is_taken_before_the_end() {
    let panic = Rule { point: "ring.seal".into(), actor: None, after: 30, fault: Fault::Panic };
    let small = "[ring]\nsamples = 4";
    assert_sealed("", &[]);
    assert_sealed(small, &[]);
    assert_sealed("", std::slice::from_ref(&panic));
    assert_sealed(small, &[panic]);
}

/// And though the core fails in the very last ticks, which are made after the stop: it comes back for them.
#[test]
fn a_core_that_fails_in_its_last_ticks_comes_back() {
    let rule = |point: &str, after, fault| Rule { point: point.into(), actor: None, after, fault };
    // A ring for four samples needs several ticks for the last readings.
    for ring in ["", "[ring]\nsamples = 4"] {
        let mut late = 0;
        for point in
            ["ring.seal", "ring.seal.middle", "expression.evaluate", "renderer.step.after", "clock.tick"]
        {
            for fault in [Fault::Error, Fault::Panic] {
                for after in 59..=62 {
                    let restarted = assert_sealed(ring, &[rule(point, after, fault)]);
                    late += usize::from(restarted.iter().any(|tick| *tick > 60));
                }
            }
        }
        assert!(late >= 10, "{ring}: nearly nothing failed after the stop: {late}");
    }
    // Twice in a row, and at its start.
    let twice = [rule("ring.seal", 61, Fault::Panic), rule("ring.seal", 62, Fault::Error)];
    assert_sealed("", &twice);
    let again = [rule("ring.seal", 61, Fault::Panic), rule("expression.start", 1, Fault::Panic)];
    assert_sealed("", &again);
}

/// One that fails time and again as it ends says so.
#[test]
fn a_core_that_cannot_make_its_last_ticks_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let rules =
        (61..100).map(|after| Rule { point: "ring.seal".into(), actor: None, after, fault: Fault::Panic });
    let options = Options {
        time: Time::Virtual,
        face: Some(stops_after_a_second()),
        faults: Faults::listed(rules),
        ..Options::default()
    };
    let ended = run(MOVING, folder.path(), options, |_| {});
    assert!(matches!(&ended, Err(Error::CutShort(who)) if who == "`ring`"), "{ended:?}");
}
