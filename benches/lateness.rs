//! Whether sources that misbehave make ticks late: the real program runs for a while without and with faults,
//! and the distributions of its ticks' lateness are set beside each other.
//!
//! `cargo bench --bench lateness [-- SECONDS]`, a minute for each run unless told otherwise. The panel is the
//! same in both runs: made-up data, and in the second one a source that floods (100,000 samples a second),
//! one that panics each second, one that hangs each ten seconds, and one that fails by chance.
#![allow(clippy::print_stdout, reason = "its results go there")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long each run takes if nothing else is said.
const USUAL: Duration = Duration::from_secs(60);

/// What is not measured: the first pictures.
const WARM_UP: Duration = Duration::from_secs(2);

fn panel(faulty: bool) -> String {
    let source = |name: &str, faults: &str| {
        let faults = if faulty { faults } else { "" };
        format!(
            "[source.{name}]\nkind = \"generator\"\nshape = \"walk\"\nevery = \"20ms\"\nfaults = [{faults}]\n"
        )
    };
    let sources = [
        source("steady", ""),
        source("floods", "{ kind = \"flood\", every = \"1s\", rate = 100_000, for = \"1s\" }"),
        source("panics", "{ kind = \"panic\", every = \"1s\" }"),
        source("hangs", "{ kind = \"hang\", every = \"10s\", for = \"15s\" }"),
        source("fails", "{ kind = \"error\", chance = 0.05 }"),
    ];
    let widgets = (0..5).map(|n| {
        let names = ["steady", "floods", "panics", "hangs", "fails"];
        let (name, y) = (names[n], 8 + 22 * n);
        format!("{{ kind = \"sparkline\", at = [8, {y}], size = [144, 20], value = \"{name}.value\", span = \"10s\" }},\n")
    });
    format!(
        "version = 1\n{}[page.main]\nwidgets = [\n{}]\n[[output]]\nkind = \"null\"\n",
        sources.concat(),
        widgets.collect::<String>()
    )
}

/// A running program, which ends with this.
struct Program {
    child: Child,
    address: String,
}

impl Program {
    fn start(config: &Path, home: &Path) -> io::Result<Program> {
        let mut child = Command::new(env!("CARGO_BIN_EXE_tinydisplay"))
            .arg("run")
            .arg(config)
            .args(["--listen", "127.0.0.1:0"])
            .env("XDG_STATE_HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let mut lines = BufReader::new(child.stderr.take().ok_or(io::ErrorKind::BrokenPipe)?).lines();
        let mut program = Program { child, address: String::new() };
        for line in lines.by_ref().map_while(Result::ok) {
            if let Some((_, address)) = line.split_once("http://") {
                program.address = address.trim_end_matches('/').to_string();
                // Reads on to the end, or the program would wait for room in the pipe.
                thread::spawn(move || lines.for_each(drop));
                return Ok(program);
            }
        }
        Err(io::Error::other("the program never said where its page is"))
    }

    fn metrics(&self) -> io::Result<String> {
        let mut stream = TcpStream::connect(&self.address)?;
        let host = &self.address;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How many ticks were at most so late, by upper bound in seconds.
struct Lateness(Vec<(f64, f64)>);

impl Lateness {
    fn read(metrics: &str) -> Lateness {
        const BUCKET: &str = "tinydisplay_tick_lateness_seconds_bucket{le=\"";
        let bucket = |line: &str| {
            let (bound, count) = line.strip_prefix(BUCKET)?.split_once("\"} ")?;
            Some((bound.replace("+Inf", "inf").parse().ok()?, count.trim().parse().ok()?))
        };
        Lateness(metrics.lines().filter_map(bucket).collect())
    }

    /// What came since `before`.
    fn since(&self, before: &Lateness) -> Lateness {
        let known = |bound: f64| before.0.iter().find(|(known, _)| *known == bound).map_or(0.0, |(_, n)| *n);
        Lateness(self.0.iter().map(|(bound, count)| (*bound, count - known(*bound))).collect())
    }

    fn total(&self) -> f64 {
        self.0.last().map_or(0.0, |(_, count)| *count)
    }

    /// The upper bound below which this part of the ticks lies, in seconds.
    fn quantile(&self, part: f64) -> f64 {
        let wanted = self.total() * part;
        self.0.iter().find(|(_, count)| *count >= wanted).map_or(f64::NAN, |(bound, _)| *bound)
    }
}

fn sum(metrics: &str, name: &str) -> f64 {
    let rows = metrics.lines().filter(|line| line.starts_with(name));
    rows.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

fn measure(faulty: bool, span: Duration, folder: &Path) -> io::Result<Lateness> {
    let config = folder.join(format!("{faulty}.toml"));
    std::fs::write(&config, panel(faulty))?;
    let program = Program::start(&config, folder)?;
    thread::sleep(WARM_UP);
    let before = Lateness::read(&program.metrics()?);
    let began = Instant::now();
    thread::sleep(span);
    let metrics = program.metrics()?;
    let lateness = Lateness::read(&metrics).since(&before);
    let rate = lateness.total() / began.elapsed().as_secs_f64();
    println!(
        "{} faults: {:.0} ticks, {rate:.2} a second",
        if faulty { "with" } else { "without" },
        lateness.total()
    );
    for (part, name) in [(0.5, "half"), (0.9, "90 %"), (0.99, "99 %"), (0.999, "99.9 %"), (1.0, "all")] {
        println!("  {name:>6} at most {:>8.3} ms late", lateness.quantile(part) * 1e3);
    }
    for name in
        ["tinydisplay_late_ticks_total", "tinydisplay_skipped_frames_total", "tinydisplay_samples_total"]
    {
        println!("  {name} {}", sum(&metrics, name));
    }
    Ok(lateness)
}

fn main() -> io::Result<()> {
    let seconds = std::env::args().skip(1).find_map(|argument| argument.parse().ok());
    let span = seconds.map_or(USUAL, Duration::from_secs);
    let folder = tempfile::tempdir()?;
    let without = measure(false, span, folder.path())?;
    let with = measure(true, span, folder.path())?;
    let ratio = |part| with.quantile(part) / without.quantile(part);
    println!("with faults / without: half {:.2}, 99 % {:.2}", ratio(0.5), ratio(0.99));
    Ok(())
}
