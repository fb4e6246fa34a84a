//! The program under a service manager: what it tells, and the example of a unit.

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::program::{PATIENCE, Program};

/// The manager's end of the socket.
struct Manager(UnixDatagram);

impl Manager {
    /// The lines of the next datagram; none where nothing comes for so long.
    fn hear(&self, within: Duration) -> Vec<String> {
        self.0.set_read_timeout(Some(within)).unwrap();
        let mut bytes = [0; 4_096];
        let Ok(length) = self.0.recv(&mut bytes) else { return Vec::new() };
        std::str::from_utf8(&bytes[..length]).unwrap().lines().map(str::to_owned).collect()
    }

    /// All lines up to and with the one that is wanted.
    fn hear_until(&self, wanted: &str) -> Vec<String> {
        let deadline = Instant::now() + PATIENCE;
        let mut heard = Vec::new();
        while !heard.iter().any(|line: &String| line == wanted) {
            assert!(Instant::now() < deadline, "{wanted} never came, but {heard:?}");
            heard.extend(self.hear(Duration::from_millis(100)));
        }
        heard
    }
}

#[test]
fn the_manager_is_told_of_the_first_frame_of_life_and_of_the_end() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notify");
    let manager = Manager(UnixDatagram::bind(&path).unwrap());
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "900000")];
    let program = Program::start_in(home.path(), &["--output", "null"], &variables);

    let mut heard = manager.hear_until("READY=1");
    assert_eq!(heard[0], "READY=1", "nothing comes before it");
    assert_eq!(program.get("/readyz").0, 200, "it comes after the first frame");
    let page = format!("STATUS=http://{}/ all well", program.address);
    if !heard.contains(&page) {
        heard.extend(manager.hear_until(&page));
    }
    // Signs of life go on; how often they come is held where time is virtual.
    for _ in 0..5 {
        heard.extend(manager.hear_until("WATCHDOG=1"));
    }

    program.send_term();
    heard.extend(manager.hear_until("STOPPING=1"));
    assert_eq!(program.wait(), Some(0));
    loop {
        let last = manager.hear(Duration::from_millis(1));
        if last.is_empty() {
            break;
        }
        heard.extend(last);
    }
    let count = |wanted: &str| heard.iter().filter(|line| *line == wanted).count();
    assert_eq!((count("READY=1"), count("STOPPING=1")), (1, 1), "{heard:?}");
    let stopping = heard.iter().position(|line| line == "STOPPING=1").unwrap();
    assert!(!heard[stopping..].contains(&"WATCHDOG=1".into()), "{heard:?}");
}

#[test]
fn nobody_is_told_where_nobody_asks() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notify");
    let manager = Manager(UnixDatagram::bind(&path).unwrap());
    let program = Program::start_in(home.path(), &["--output", "null"], &[("WATCHDOG_USEC", "100000")]);
    program.wait_for("/readyz", |status, _| status == 200);
    assert_eq!(program.terminate(), Some(0));
    assert_eq!(manager.hear(Duration::from_millis(1)), Vec::<String>::new());
}

/// A panel whose source hangs after a second. Its supervisor is patient, so that nothing helps.
const HANGING: &str = r##"
    version = 1
    [source.stuck]
    kind = "generator"
    shape = "saw"
    every = "50ms"
    faults = [{ kind = "hang", at = "1s" }]
    [supervision.sources]
    hang_after = "1h"
    [page.main]
    widgets = [{ kind = "text", at = [0, 0], size = [160, 20], text = "{stuck.value}", color = "#fff" }]
"##;

#[test]
fn signs_of_life_end_while_an_actor_hangs() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("notify");
    let panel = home.path().join("panel.toml");
    fs::write(&panel, HANGING).unwrap();
    let manager = Manager(UnixDatagram::bind(&path).unwrap());
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "900000")];
    let program = Program::start_in(home.path(), &[panel.to_str().unwrap(), "--output", "null"], &variables);
    let status = format!("STATUS=http://{}/ source.stuck is silent", program.address);
    let heard = manager.hear_until(&status);
    assert!(heard.contains(&"WATCHDOG=1".into()), "it was well before: {heard:?}");
    // Three signs of life would come in the 54 ticks of this watchdog's time. The panel ticks on.
    let ticks = |page: &str| -> f64 {
        page.lines().find_map(|line| line.strip_prefix("tinydisplay_ticks_total ")).unwrap().parse().unwrap()
    };
    let before = ticks(&program.text("/metrics"));
    program.wait_for("/metrics", |_, page| ticks(page) >= before + 3.0 * 54.0);
    assert_eq!(manager.hear(Duration::from_millis(1)), Vec::<String>::new());
}

/// What is documented of exit codes, each brought about: all but that of a process that aborts, which no
/// command line brings about.
#[test]
fn exit_codes_are_those_of_the_manual() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manual = fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let (_, table) = manual.split_once("| code | meaning |").unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let documented: Vec<i32> =
        rows.map(|row| row.split('|').nth(1).unwrap().trim().parse().unwrap()).collect();

    let documented: Vec<i32> = documented.into_iter().filter(|code| *code != 134).collect();
    let folder = tempfile::tempdir().unwrap();
    let panel = folder.path().join("panel.toml");
    // One failure is more than this supervision bears.
    let failing = HANGING
        .replace("\"hang\"", "\"error\"")
        .replace("hang_after = \"1h\"", "restarts = 0\nperiod = \"10s\"");
    fs::write(&panel, failing).unwrap();
    let panel = panel.to_str().unwrap();
    // So is one thread that is left behind.
    let hanging = folder.path().join("hanging.toml");
    let text = HANGING
        .replace("hang_after = \"1h\"", "hang_after = \"100ms\"")
        .replace("[supervision.sources]", "[supervision]\nabandoned_max = 0\n[supervision.sources]");
    fs::write(&hanging, text).unwrap();
    let hanging = hanging.to_str().unwrap();
    let run = |panel| ["run", panel, "--output", "null", "--listen", "127.0.0.1:0"];
    let (failing, hanging) = (run(panel), run(hanging));
    let cases: [(&[&str], i32); 7] = [
        (&["functions"], 0),
        (&["check", "config/demo.toml"], 0),
        (&["check", "tests/it/data/broken.toml"], 1),
        (&["run", "/nowhere/panel.toml"], 1),
        (&["run", "--nonsense"], 2),
        (&failing, 70),
        (&hanging, 70),
    ];
    let mut codes = cases.map(|(_, code)| code).to_vec();
    codes.dedup();
    assert_eq!(documented, codes);
    for (arguments, code) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tinydisplay"));
        let output = command.args(arguments).current_dir(root).output().unwrap();
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

/// Where systemd's tools are: the example is well formed and closed as far as it can be.
#[test]
fn the_example_of_a_unit_is_sound() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let unit = fs::read_to_string(root.join("config/systemd/tinydisplay.service")).unwrap();
    let exec = unit.lines().find(|line| line.starts_with("ExecStart=")).unwrap();
    let arguments = exec.strip_prefix("ExecStart=/usr/local/bin/tinydisplay ").unwrap();
    assert_eq!(arguments, "run /etc/tinydisplay/panel.toml");
    for setting in ["Type=notify", "Restart=on-failure", "RestartPreventExitStatus=2"] {
        assert!(unit.lines().any(|line| line == setting), "{setting}");
    }
    let manual = fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let (_, longest) = manual.split_once("everything hanging, a run ends after less than ").unwrap();
    let longest: u64 = longest.split(' ').next().unwrap().parse().unwrap();
    let patience = unit.lines().find_map(|line| line.strip_prefix("TimeoutStopSec=")).unwrap();
    assert!(patience.parse::<u64>().unwrap() > longest, "killed after {patience} s of {longest} s");
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("tinydisplay.service");
    // The check wants a program that is there.
    fs::write(&copy, unit.replace("/usr/local/bin/tinydisplay", env!("CARGO_BIN_EXE_tinydisplay"))).unwrap();
    let copy = copy.to_str().unwrap();
    let analyze = |arguments: &[&str]| -> Option<(ExitStatus, String)> {
        let output = Command::new("systemd-analyze").args(arguments).arg(copy).output().ok()?;
        Some((output.status, String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()))
    };
    let Some((status, said)) = analyze(&["verify", "--man=no"]) else { return };
    assert!(status.success() && !said.contains("tinydisplay.service"), "{said}");
    // In tenths, from 0 for what can do nothing to 100 for what can do everything.
    let Some((status, said)) = analyze(&["security", "--offline=true", "--no-pager", "--threshold=20"])
    else {
        return;
    };
    assert!(status.success() || said.contains("nrecognized option"), "{said}");
}
