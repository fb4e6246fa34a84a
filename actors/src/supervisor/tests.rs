//! Supervised children that fail in every way, in virtual time; and one thread that really hangs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, mpsc};

use actix::{Actor, Handler, Message};
use engine::restart::{Child, Group as Branch, Strategy};

use super::policy::{Policy, Supervision};
use super::worker::{Group, run};
use super::*;
use crate::source::rig::simulate;
use crate::telemetry;

const SECOND: Duration = Duration::from_secs(1);

/// What a generation of a child comes to.
#[derive(Clone, Copy)]
enum Act {
    /// Runs until it is told to stop.
    Run,
    /// Ends in order.
    End,
    /// Ends with an error.
    Error,
    /// Cannot work as configured.
    Fatal,
    /// Panics at once, before it awaits anything.
    Panic,
    /// Shows no sign of life, and hears nothing.
    Hang,
    /// Runs for ever, in good health, and hears nothing.
    Deaf,
    /// Runs until it is told to stop, and panics then.
    PanicInStop,
    /// An actor that panics in a handler, and again in its own `stopped`.
    PanicTwice,
}

/// What happened, in order: `MS NAME …`.
#[derive(Clone)]
struct Log(World, Arc<Mutex<Vec<String>>>);

impl Log {
    fn note(&self, what: String) {
        self.1.lock().unwrap().push(format!("{} {what}", self.0.now().as_millis()));
    }
}

/// A child whose generations come to what `script` says; those after the last run.
fn child(name: &str, group: Group, script: &'static [Act], log: &Log) -> Worker {
    let (starts, log, told) = (AtomicUsize::new(0), log.clone(), name.to_string());
    let start = move |context: Context| {
        let act = script.get(starts.fetch_add(1, Ordering::Relaxed)).copied().unwrap_or(Act::Run);
        log.note(format!("{told} starts"));
        let (log, told) = (log.clone(), told.clone());
        async move {
            let ended = play(act, &context).await;
            log.note(format!("{told} ends"));
            ended
        }
    };
    let exceptions = Default::default();
    Worker { name: name.into(), role: "child", group, shares_thread: false, exceptions, run: run(start) }
}

async fn play(act: Act, context: &Context) -> Result<(), Failure> {
    match act {
        Act::End => return Ok(()),
        Act::Error => return Err(Failure::Transient("no answer".into())),
        Act::Fatal => return Err(Failure::Configuration("no such disk".into())),
        Act::Panic => panic!("index {} is out of range", 7),
        Act::Hang => std::future::pending().await,
        Act::Deaf => context.heart.resting(std::future::pending()).await,
        Act::PanicTwice => {
            return context.act(Bomb, |bomb| bomb.do_send(Ignite)).await;
        }
        Act::Run | Act::PanicInStop => {}
    }
    context.heart.resting(context.stopped()).await;
    if matches!(act, Act::PanicInStop) {
        panic!("while stopping");
    }
    Ok(())
}

struct Bomb;

#[derive(Message)]
#[rtype(result = "()")]
struct Ignite;

impl Actor for Bomb {
    type Context = actix::Context<Bomb>;

    fn stopped(&mut self, _: &mut Self::Context) {
        panic!("while panicking");
    }
}

impl Handler<Ignite> for Bomb {
    type Result = ();

    fn handle(&mut self, _: Ignite, _: &mut Self::Context) {
        panic!("in a handler");
    }
}

/// What came of a run.
struct Run {
    end: End,
    /// When it had ended.
    at: Duration,
    log: Vec<String>,
    reports: Arc<[ActorReport]>,
}

impl Run {
    fn report(&self, name: &str) -> &ActorReport {
        self.reports.iter().find(|report| &*report.name == name).unwrap()
    }

    /// The lines of the log that say this, without their times.
    fn order(&self, what: &str) -> Vec<&str> {
        let lines = self.log.iter().filter_map(|line| line.split_once(' '));
        lines.map(|(_, line)| line).filter(|line| line.contains(what)).collect()
    }
}

/// How workers are run: `None` for the tree of the policy.
#[derive(Default)]
struct Rig {
    policy: Supervision,
    faults: Faults,
    tree: Option<fn(&Supervision) -> Tree>,
}

impl Rig {
    /// Runs what `cast` makes for `span` of virtual time, or until it gives up, and then ends it.
    fn run(self, span: Duration, cast: impl FnOnce(&Log) -> Vec<Worker>) -> Run {
        simulate(async {
            let world = World::simulated(false);
            let log = Log(world, Arc::default());
            let (reports, reported) = watch::channel(Vec::new().into());
            let told = log.clone();
            let listener: Listener = Box::new(move |news| {
                let ActorReport { name, state, restarts, error, .. } = news.report;
                let error = error.as_deref().unwrap_or_default();
                let what = if news.restarted { "is restarted" } else { "has ended" };
                told.note(format!("{name} {what}: {} {restarts} {error}", state.name()));
            });
            let mut supervisor = Supervisor::new(Parts {
                world,
                seed: 7,
                workers: cast(&log),
                policy: self.policy.clone(),
                faults: self.faults,
                telemetry: telemetry::Supervision::new(&[]),
                reports,
                listener,
            });
            if let Some(tree) = self.tree {
                supervisor.tree = tree(&self.policy);
            }
            let (stop, stopped) = watch::channel(false);
            let running = actix::spawn(supervisor.run(stopped));
            world.sleep_until(span).await;
            // The state before the end is the one of interest.
            let reports = reported.borrow().clone();
            stop.send_replace(true);
            let end = running.await.unwrap();
            let log = log.1.lock().unwrap().clone();
            Run { end, at: world.now(), log, reports }
        })
    }
}

fn source(script: &'static [Act]) -> impl FnOnce(&Log) -> Vec<Worker> {
    move |log| vec![child("source.a", Group::Sources, script, log)]
}

#[test]
fn every_end_is_told_and_answered() {
    let check = |script, span, state: &str, restarts, error: &str| {
        let run = Rig::default().run(span, source(script));
        let report = run.report("source.a");
        assert_eq!((report.state.name(), report.restarts), (state, restarts), "{:?}", run.log);
        let told = report.error.as_deref().unwrap_or_default();
        assert!(told.contains(error), "{told:?} says {error:?}");
        assert_eq!(run.end, End::Clean);
        assert!(run.at <= span + SECOND, "nobody is waited for: {:?}", run.at);
    };
    check(&[Act::Run], SECOND, "running", 0, "");
    check(&[Act::End], SECOND, "stopped", 0, "");
    check(&[Act::Error, Act::Error], SECOND, "running", 2, "no answer");
    check(&[Act::Fatal], SECOND, "failed", 0, "no such disk");
    check(&[Act::Panic], SECOND, "running", 1, "tests.rs:");
    check(&[Act::Panic], SECOND, "running", 1, ": index 7 is out of range");
    check(&[Act::Hang], 20 * SECOND, "running", 1, "no sign of life");
    check(&[Act::PanicTwice], SECOND, "running", 1, "in a handler; then panicked at");
    check(&[Act::PanicTwice], SECOND, "running", 1, "while panicking");
    check(&[Act::PanicInStop], SECOND, "running", 0, "");
}

#[test]
fn faults_strike_at_start_and_stop() {
    let check = |point: &str, fault, starts, error: &str| {
        let rule = crate::fault::Rule { point: point.into(), actor: None, after: 0, fault };
        let rig = Rig { faults: Faults::listed([rule]), ..Rig::default() };
        let run = rig.run(20 * SECOND, source(&[Act::Run]));
        assert_eq!(run.order("starts").len(), starts, "{:?}", run.log);
        let told = run.report("source.a").error.as_deref().unwrap_or_default();
        assert!(told.contains(error), "{told:?} says {error:?}");
        assert_eq!(run.end, End::Clean);
    };
    use crate::fault::Fault;
    check("child.start", Fault::Error, 1, "a fault was injected at child.start");
    check("child.start", Fault::Panic, 1, ": a fault was injected at child.start");
    check("child.start", Fault::Hang(None), 1, "no sign of life");
    check("child.stop", Fault::Panic, 1, "");
    check("child.stop", Fault::Hang(None), 1, "");
}

#[test]
fn a_storm_of_restarts_dies_down() {
    let run = Rig::default().run(3_600 * SECOND, source(&[Act::Error; 10_000]));
    // Eight quick tries, then one in 15 s on average.
    let starts = run.order("starts").len();
    assert!((200..300).contains(&starts), "{starts} starts in an hour");
    assert_eq!(run.report("source.a").state.name(), "degraded");
    assert_eq!(run.end, End::Clean);
}

/// A tree of one group with these children under a strategy.
fn tree(strategy: Strategy) -> Tree {
    let child = |name: &str| {
        Child::Worker(engine::restart::Worker { name: name.into(), ..engine::restart::Worker::default() })
    };
    let children = vec![child("a"), child("b"), child("c")];
    Tree::new(Branch { strategy, children, ..Branch::default() }, 7)
}

#[test]
fn a_failing_middle_child_takes_along_whom_the_strategy_says() {
    let check = |tree: fn(&Supervision) -> Tree, act: &'static [Act], stopped: &[&str], started: &[&str]| {
        let run = Rig { tree: Some(tree), ..Rig::default() }.run(SECOND, |log| {
            let child = |name, script| child(name, Group::Sources, script, log);
            vec![child("a", &[]), child("b", act), child("c", &[])]
        });
        assert_eq!(run.order("starts")[..3], ["a starts", "b starts", "c starts"]);
        assert_eq!(run.order("starts")[3..], *started);
        let ends = run.order("ends");
        assert_eq!(ends[..ends.len() - 3], *stopped, "before the end of the run");
        assert_eq!(ends[ends.len() - 3..], ["c ends", "b ends", "a ends"], "in the reverse order");
        assert_eq!(run.order("is restarted").len(), 1, "the others did not fail");
        assert_eq!(run.end, End::Clean);
    };
    check(|_| tree(Strategy::OneForOne), &[Act::Error], &["b ends"], &["b starts"]);
    check(|_| tree(Strategy::OneForOne), &[Act::Panic], &[], &["b starts"]);
    check(|_| tree(Strategy::RestForOne), &[Act::Panic], &["c ends"], &["b starts", "c starts"]);
    let all = ["a starts", "b starts", "c starts"];
    check(|_| tree(Strategy::OneForAll), &[Act::Panic], &["c ends", "a ends"], &all);
}

#[test]
fn a_run_ends_soon_whatever_its_children_do() {
    let check = |script: &'static [Act], stop_at: Duration, most: Duration| {
        let run = Rig::default().run(stop_at, source(script));
        assert_eq!(run.end, End::Clean);
        let took = run.at - stop_at;
        assert!(took <= most, "{took:?} for {:?}", run.log);
    };
    let grain = Duration::from_millis(2);
    // Backs off for some milliseconds; then for some seconds.
    check(&[Act::Error; 9], Duration::from_millis(1), grain);
    check(&[Act::Error; 99], 60 * SECOND, grain);
    check(&[Act::Hang], 5 * SECOND, SECOND + grain);
    check(&[Act::PanicInStop], 5 * SECOND, grain);
}

#[test]
fn an_end_that_loses_something_says_so() {
    let check = |group, act: &'static [Act], end: End| {
        let run = Rig::default().run(5 * SECOND, |log| {
            let mut cast = vec![child("slow", group, act, log), child("other", Group::Http, &[], log)];
            cast.sort_by_key(|worker| worker.group);
            cast
        });
        assert_eq!(run.end, end, "{group:?}: {:?}", run.log);
    };
    for group in [Group::Recorder, Group::Writer, Group::Core] {
        check(group, &[Act::Deaf], End::CutShort("`slow`".into()));
        check(group, &[Act::PanicInStop], End::Clean);
    }
    // Started over, they may end well; who does not has lost something.
    for group in [Group::Writer, Group::Core] {
        check(group, &[Act::PanicInStop, Act::PanicInStop], End::Clean);
        check(group, &[Act::PanicInStop; 9], End::CutShort("`slow`".into()));
    }
    for group in [Group::Http, Group::Outputs, Group::Sources] {
        check(group, &[Act::Deaf], End::Clean);
    }
}

#[test]
fn the_core_gives_up_when_restarting_does_not_help() {
    let check = |failures: &'static [Act], gives_up: bool| {
        let run = Rig::default().run(30 * SECOND, |log| {
            let writer = child("writer", Group::Writer, &[], log);
            let ring = child("ring", Group::Core, failures, log);
            vec![
                writer,
                ring,
                child("clock", Group::Core, &[], log),
                child("source.a", Group::Sources, &[], log),
            ]
        });
        let expected = "`ring` failed too often; the last time: no answer";
        let expected = if gives_up { End::Escalated(expected.into()) } else { End::Clean };
        assert_eq!(run.end, expected);
        let ends = run.order("ends");
        let order: &[_] = if gives_up {
            &["ring ends", "clock ends", "source.a ends", "writer ends"]
        } else {
            &["source.a ends", "clock ends", "ring ends", "writer ends"]
        };
        assert!(ends.ends_with(order), "everybody ends in order: {ends:?}");
    };
    check(&[Act::Error; 3], false);
    check(&[Act::Error; 4], true);
}

#[test]
fn nobody_is_judged_by_an_old_sign_of_life() {
    // Each works without a rest between two beats, for nearly as long as it may.
    let busy = |name: &str| {
        let start = |context: Context| async move {
            loop {
                let next = context.world.now() + Duration::from_millis(9_900);
                tokio::select! {
                    () = context.stopped() => return Ok(()),
                    () = context.world.sleep_until(next) => context.heart.beat(),
                }
            }
        };
        let exceptions = Default::default();
        let (group, run) = (Group::Sources, run(start));
        Worker { name: name.into(), role: "child", group, shares_thread: false, exceptions, run }
    };
    let run = Rig::default().run(60 * SECOND, |_| vec![busy("a"), busy("b")]);
    for name in ["a", "b"] {
        let report = run.report(name);
        assert_eq!((report.state.name(), report.restarts), ("running", 0), "{name}: {:?}", report.error);
    }
}

#[test]
fn a_machine_that_stood_still_blames_nobody() {
    let check = |planned: Duration, blamed: usize| {
        simulate(async {
            let world = World::simulated(false);
            let log = Log(world, Arc::default());
            let hanging = |name| child(name, Group::Sources, &[Act::Hang], &log);
            let mut supervisor = Supervisor::new(Parts {
                world,
                seed: 7,
                workers: vec![hanging("a"), hanging("b")],
                policy: Supervision::default(),
                faults: Faults::default(),
                telemetry: telemetry::Supervision::new(&[]),
                reports: watch::channel(Vec::new().into()).0,
                listener: Box::new(|_| {}),
            });
            supervisor.step(Event::Start);
            supervisor.planned = planned;
            world.sleep_until(20 * SECOND).await;
            // The second step comes in time, and knows no more of anybody.
            for _ in 0..2 {
                supervisor.step(Event::Wake);
                supervisor.planned = world.now() + SECOND;
            }
            assert_eq!(supervisor.left_behind.len(), blamed, "a step was due at {planned:?}");
        });
    };
    check(SECOND, 0);
    check(20 * SECOND, 2);
}

#[test]
fn too_many_threads_left_behind_end_the_run() {
    let check = |abandoned_max, gives_up| {
        let policy = Supervision { abandoned_max, ..Supervision::default() };
        let run = Rig { policy, ..Rig::default() }.run(200 * SECOND, source(&[Act::Hang; 3]));
        assert_eq!(matches!(run.end, End::Escalated(_)), gives_up, "{abandoned_max}: {:?}", run.end);
    };
    check(2, true);
    check(3, false);
}

#[test]
fn a_thread_that_wakes_up_late_changes_nothing() {
    let world = World::live();
    let (release, released) = flume::unbounded::<()>();
    let (say, said) = mpsc::channel::<(u64, bool)>();
    // The first two generations hang, for real; what each says is whether its word was taken.
    let start = move |context: Context| {
        let (released, say) = (released.clone(), say.clone());
        async move {
            let generation = context.pass.generation();
            if generation <= 2 {
                say.send((generation, context.pass.enter(|| ()).is_some())).unwrap();
                released.recv().unwrap();
            }
            say.send((generation, context.pass.enter(|| ()).is_some())).unwrap();
            context.heart.resting(context.stopped()).await;
            Ok(())
        }
    };
    let hanging = Worker {
        name: "source.a".into(),
        role: "source",
        group: Group::Sources,
        shares_thread: true,
        exceptions: Default::default(),
        run: run(start),
    };
    let usual = Supervision::default();
    let sources = Policy { hang_after: SECOND, ..usual.sources };
    let supervisor = Supervisor::new(Parts {
        world,
        seed: 7,
        workers: vec![hanging],
        // One thread may be left behind: two are not at the same time, since the end of the first is noticed.
        policy: Supervision { sources, abandoned_max: 1, ..usual },
        faults: Faults::default(),
        telemetry: telemetry::Supervision::new(&[]),
        reports: watch::channel(Vec::new().into()).0,
        listener: Box::new(|_| {}),
    });
    let (stop, stopped) = watch::channel(false);
    let (end, ended) = mpsc::channel();
    world
        .spawn("supervisor", move || async move { end.send(supervisor.run(stopped).await).unwrap() })
        .unwrap();
    let patience = Duration::from_secs(30);
    let next = || said.recv_timeout(patience).unwrap();
    assert_eq!(next(), (1, true));
    assert_eq!(next(), (2, true), "the second has taken the place of the first");
    release.send(()).unwrap();
    assert_eq!(next(), (1, false), "the first woke up late");
    assert_eq!(next(), (3, true));
    release.send(()).unwrap();
    assert_eq!(next(), (2, false));
    stop.send_replace(true);
    assert_eq!(ended.recv_timeout(patience).unwrap(), End::Clean);
}
