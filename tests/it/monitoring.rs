//! Prometheus and Grafana: the shipped configurations, with the real server and the real program.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use actors::telemetry::table::{TABLE, Type};
use serde_json::Value as Json;

use crate::program::{Program, get, wait_until};

/// Set to anything, this says that the server is not there and need not be.
const SKIP: &str = "TINYDISPLAY_TESTS_WITHOUT_PROMETHEUS";

fn shipped(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(path)).unwrap()
}

/// Whether the server and its tool are there.
fn is_installed() -> bool {
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    if is_there("prometheus") && is_there("promtool") {
        return true;
    }
    let is_allowed = std::env::var_os(SKIP).is_some();
    assert!(is_allowed, "install Prometheus (Debian: apt install prometheus), or set {SKIP}=1 to do without");
    false
}

/// A running server, which ends with the test.
struct Prometheus {
    child: Child,
    address: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// Starts it with the shipped configuration: only intervals, durations and the target are others.
    fn start(folder: &Path, target: &str) -> Prometheus {
        let config = shipped("prometheus/prometheus.yml")
            .replace("interval: 15s", "interval: 200ms")
            .replace("127.0.0.1:9185", target);
        assert!(config.contains(target) && config.matches("200ms").count() == 2, "{config}");
        fs::write(folder.join("prometheus.yml"), config).unwrap();
        let rules = shipped("prometheus/rules.yml");
        let at_once = rules.lines().map(|line| match line.trim_start().strip_prefix("for: ") {
            Some(_) => "        for: 0s",
            None => line,
        });
        fs::write(folder.join("rules.yml"), at_once.collect::<Vec<_>>().join("\n")).unwrap();
        let said = folder.join("prometheus.txt");
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", folder.join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said).unwrap())
            .spawn()
            .unwrap();
        // From here on a failing test ends the child too.
        let mut prometheus = Prometheus { child, address: String::new() };
        let said = || fs::read_to_string(&said).unwrap();
        prometheus.address = wait_until("Prometheus never said where it listens", || {
            let said = said();
            let line = said.lines().find(|line| line.contains("Listening on"));
            let address = line.and_then(|line| line.split_once(" address=")?.1.split(' ').next());
            address.map(str::to_owned).ok_or(said.clone())
        });
        wait_until("Prometheus is not ready", || {
            let is_ready = get(&prometheus.address, "/-/ready").0 == 200;
            is_ready.then_some(()).ok_or_else(said)
        });
        prometheus
    }

    /// The data of an answer.
    fn ask(&self, path: &str) -> Json {
        let (status, body) = get(&self.address, path);
        let mut answer: Json = serde_json::from_slice(&body).unwrap();
        assert!(status == 200 && answer["status"] == "success", "{path} gives {status}: {answer}");
        answer["data"].take()
    }

    fn query(&self, expression: &str) -> Json {
        let escape = |byte: u8| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        let query: String = expression.bytes().map(escape).collect();
        self.ask(&format!("/api/v1/query?query={query}"))["result"].take()
    }
}

/// A panel that has everything that is counted, and a source that fails.
const PANEL: &str = r##"
    version = 1
    [source.wave]
    kind = "generator"
    shape = "saw"
    every = "50ms"
    [source.lost]
    kind = "playback"
    file = "lost.csv"
    [value]
    doubled = "wave.value * 2"
    [persistence]
    file = "state.db"
    flush = "100ms"
    [[output]]
    kind = "png"
    file = "frame.png"
    every = "100ms"
    [page.main]
    widgets = [
        { kind = "sparkline", id = "chart", at = [0, 30], size = [160, 90], value = "doubled", span = "5s", color = "#fff" },
        { kind = "text", id = "number", at = [0, 0], size = [160, 20], text = "{doubled:.2f}", color = "#fff" },
    ]
"##;

fn program(folder: &Path) -> Program {
    let panel = folder.join("panel.toml");
    fs::write(&panel, PANEL).unwrap();
    // Charts of a second run have a past, so that the database is read.
    let first = ["run", panel.to_str().unwrap(), "--ticks", "60", "--listen", "127.0.0.1:0"];
    let output = Command::new(env!("CARGO_BIN_EXE_tinydisplay")).args(first).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Program::start(folder, &[panel.to_str().unwrap()])
}

/// The names of the series of a metric.
fn series(name: &str, kind: Type) -> Vec<String> {
    match kind {
        Type::Histogram(_) => ["_bucket", "_sum", "_count"].map(|end| format!("{name}{end}")).into(),
        Type::Counter | Type::Gauge => vec![name.into()],
    }
}

#[test]
fn a_real_server_finds_every_series_and_raises_an_alert() {
    if !is_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let program = program(folder.path());
    let prometheus = Prometheus::start(folder.path(), &program.address);

    wait_until("the target is not up", || {
        let targets = prometheus.ask("/api/v1/targets")["activeTargets"].take();
        let target = &targets[0];
        let is_up = target["health"] == "up" && target["labels"]["job"] == "tinydisplay";
        if is_up { Ok(()) } else { Err(targets.to_string()) }
    });
    wait_until("a documented series is missing", || {
        let names: BTreeSet<String> =
            serde_json::from_value(prometheus.ask("/api/v1/label/__name__/values")).unwrap();
        let all = TABLE.iter().flat_map(|metric| series(metric.name, metric.kind));
        let missing: Vec<String> = all.filter(|name| !names.contains(name)).collect();
        if missing.is_empty() { Ok(()) } else { Err(missing.join("\n")) }
    });
    let names: BTreeSet<String> =
        serde_json::from_value(prometheus.ask("/api/v1/label/__name__/values")).unwrap();
    let known: BTreeSet<String> = TABLE.iter().flat_map(|metric| series(metric.name, metric.kind)).collect();
    let unknown: Vec<&String> =
        names.iter().filter(|name| name.starts_with("tinydisplay_") && !known.contains(*name)).collect();
    assert!(unknown.is_empty(), "not documented: {unknown:?}");

    let rules = prometheus.ask("/api/v1/rules?type=alert")["groups"][0]["rules"].take();
    let shipped = shipped("prometheus/rules.yml").matches("- alert: ").count();
    assert_eq!(rules.as_array().unwrap().len(), shipped);
    let broken: Vec<_> = rules.as_array().unwrap().iter().filter(|rule| rule["health"] == "err").collect();
    assert!(broken.is_empty(), "{broken:?}");
    let alert = wait_until("no alert was raised", || {
        let alerts = prometheus.ask("/api/v1/alerts")["alerts"].take();
        let is_it = |alert: &&Json| {
            alert["labels"]["alertname"] == "TinydisplaySourceFailing" && alert["state"] == "firing"
        };
        alerts.as_array().unwrap().iter().find(is_it).cloned().ok_or(alerts.to_string())
    });
    assert_eq!(alert["labels"]["source"], "lost");
    assert!(alert["annotations"]["summary"].as_str().unwrap().starts_with("Source lost of "), "{alert}");

    // What the dashboard asks is answered, and some of it with numbers.
    let mut answered = BTreeMap::new();
    for (title, expression) in dashboard().into_iter().flat_map(|panel| panel.expressions) {
        let expression = expression.replace("$__rate_interval", "5s").replace("$instance", ".*");
        let found = prometheus.query(&expression).as_array().unwrap().len();
        *answered.entry(title).or_insert(0) += found;
    }
    for title in ["Ticks a second", "Tick duration", "Samples", "Values", "Sources in trouble", "Memory"] {
        assert!(answered[title] > 0, "{title} is empty: {answered:?}");
    }
    assert_eq!(program.terminate(), Some(0));
}

#[test]
fn rules_are_as_promtool_wants_them() {
    if !is_installed() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/prometheus");
    for arguments in [["check", "config", "prometheus.yml"], ["test", "rules", "rules.test.yml"]] {
        let output = Command::new("promtool").args(arguments).current_dir(&folder).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}: {said}");
    }
}

/// A panel of the dashboard that shows something.
struct Panel {
    title: String,
    /// Where it is: left, top, right, bottom.
    place: [i64; 4],
    /// Each with the panel's title.
    expressions: Vec<(String, String)>,
}

fn dashboard() -> Vec<Panel> {
    let dashboard: Json = serde_json::from_str(&shipped("grafana/tinydisplay.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter().map(|panel| {
        let title = panel["title"].as_str().unwrap().to_string();
        let at = |side: &str| panel["gridPos"][side].as_i64().unwrap();
        let targets = panel["targets"].as_array().into_iter().flatten();
        let expressions =
            targets.map(|target| (title.clone(), target["expr"].as_str().unwrap().to_string())).collect();
        if panel["type"] != "row" {
            assert!(panel["description"].as_str().is_some_and(|text| text.ends_with('.')), "{title}");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
        }
        let place = [at("x"), at("y"), at("x") + at("w"), at("y") + at("h")];
        Panel { title, place, expressions }
    });
    panels.collect()
}

/// The words of an expression or file that look like metrics.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with("tinydisplay_")).collect()
}

fn is_documented(name: &str) -> bool {
    TABLE.iter().any(|metric| series(metric.name, metric.kind).iter().any(|series| series == name))
}

#[test]
fn dashboard_and_rules_name_what_is_documented() {
    let panels = dashboard();
    let expressions = panels.iter().flat_map(|panel| &panel.expressions);
    let mut shown = BTreeSet::new();
    for (title, expression) in expressions {
        let names = metrics_in(expression);
        assert!(!names.is_empty(), "{title} shows nothing of ours");
        for name in names {
            assert!(is_documented(name), "{title}: {name}");
            shown.insert(name);
        }
        assert!(expression.contains("instance=~\"$instance\""), "{title} is of one panel");
    }
    let is_shown = |name: &str, kind| series(name, kind).iter().any(|series| shown.contains(series.as_str()));
    let missing: Vec<_> =
        TABLE.iter().filter(|metric| !is_shown(metric.name, metric.kind)).map(|metric| metric.name).collect();
    assert!(missing.is_empty(), "the dashboard does not show {missing:?}");

    let rules = shipped("prometheus/rules.yml");
    for line in rules.lines().filter(|line| line.trim_start().starts_with("expr:")) {
        for name in metrics_in(line) {
            assert!(is_documented(name), "{line}");
        }
    }
}

#[test]
fn the_dashboard_is_laid_out() {
    let panels = dashboard();
    for (index, panel) in panels.iter().enumerate() {
        let [left, top, right, bottom] = panel.place;
        assert!(0 <= left && left < right && right <= 24 && top < bottom, "{}", panel.title);
        for other in &panels[..index] {
            let [x0, y0, x1, y1] = other.place;
            let is_apart = right <= x0 || x1 <= left || bottom <= y0 || y1 <= top;
            assert!(is_apart, "{} covers {}", panel.title, other.title);
        }
    }
    let titles: BTreeSet<&str> = panels.iter().map(|panel| panel.title.as_str()).collect();
    assert!(titles.len() > 40, "{titles:?}");
}
