//! The end of a run: all that was accepted is shown, and nobody is waited for forever.

use std::path::Path;
use std::sync::{Arc, Mutex, mpsc};

use actors::handle::Handle;
use actors::runtime::{self, Error, Options, Summary};

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
