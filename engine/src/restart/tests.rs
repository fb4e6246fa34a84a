use std::borrow::ToOwned;
use std::format;
use std::string::{String, ToString};
use std::vec;
use std::vec::Vec;

use super::*;
use crate::hash;

mod beyond_otp;
mod histories;
mod otp;

const NOW: Backoff = Backoff { base: Duration::ZERO, cap: Duration::ZERO, healthy: ms(1_000) };

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A permanent worker that is restarted without a wait and may take 100 ms to end.
fn worker(name: &str) -> Worker {
    Worker { name: name.into(), backoff: NOW, shutdown: ms(100), ..Worker::default() }
}

fn group(strategy: Strategy, children: Vec<Child>) -> Group {
    Group { name: "group".into(), strategy, backoff: NOW, children, ..Group::default() }
}

fn abc(strategy: Strategy) -> Group {
    group(strategy, vec![worker("a").into(), worker("b").into(), worker("c").into()])
}

/// Random numbers that a seed decides on.
struct Dice {
    seed: u64,
    rolls: u64,
}

impl Dice {
    fn new(seed: u64) -> Dice {
        Dice { seed, rolls: 0 }
    }

    /// From 0 to `end` - 1.
    fn below(&mut self, end: usize) -> usize {
        self.rolls += 1;
        (hash::unit(self.seed, 0, self.rolls) * end as f64) as usize
    }

    fn one_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// A tree and how its steps are written: workers have names of one letter, generations follow them.
struct Rig {
    tree: Tree,
    now: Duration,
}

impl Rig {
    fn new(root: Group) -> Rig {
        Rig { tree: Tree::new(root, 7), now: Duration::ZERO }
    }

    /// A step like `120 b panic`, `0 start`, `5 a1 heard 500`, `9 wake`, `7 shutdown`; without a number the
    /// worker's generation is the present one. Returns what is to be done.
    fn step(&mut self, step: &str) -> String {
        let mut words = step.split_whitespace();
        self.now = ms(words.next().unwrap().parse().unwrap());
        let event = match (words.next().unwrap(), words.next(), words.next()) {
            ("start", ..) => Event::Start,
            ("wake", ..) => Event::Wake,
            ("shutdown", ..) => Event::Shutdown,
            (who, Some("heard"), until) => {
                let (worker, generation) = self.who(who);
                let until = until.map_or(Duration::MAX, |until| ms(until.parse().unwrap()));
                Event::Heard { worker, generation, until }
            }
            (who, how, _) => {
                let (worker, generation) = self.who(who);
                let exit = Exit::ALL.into_iter().find(|exit| Some(exit.name()) == how).unwrap();
                Event::Exited { worker, generation, exit }
            }
        };
        let mut actions = Vec::new();
        self.tree.step(self.now, event, &mut actions);
        assert!(self.tree.next_wake().is_none_or(|wake| wake > self.now), "{step}: wakes for nothing");
        actions.iter().map(|action| self.text(action)).collect::<Vec<_>>().join(", ")
    }

    fn who(&self, who: &str) -> (WorkerId, Generation) {
        let (name, generation) = who.split_at(1);
        let worker = self.worker(name);
        let generation = generation.parse().map(Generation);
        (worker, generation.unwrap_or_else(|_| self.status(name).generation))
    }

    fn worker(&self, name: &str) -> WorkerId {
        let mut workers = (0..self.tree.nodes().count()).map(WorkerId);
        workers.find(|id| self.tree.name(Node::Worker(*id)) == name).unwrap()
    }

    fn status(&self, name: &str) -> Status {
        self.tree.status(Node::Worker(self.worker(name))).unwrap()
    }

    fn text(&self, action: &Action) -> String {
        let name = |worker| self.tree.name(Node::Worker(worker)).to_owned();
        match *action {
            Action::Start { worker, generation, .. } => format!("+{}{}", name(worker), generation.0),
            Action::Stop { worker, generation } => format!("-{}{}", name(worker), generation.0),
            Action::Abandon { worker, generation, cause } => {
                format!("x{}{} {cause:?}", name(worker), generation.0)
            }
            Action::Ended(Outcome::Shutdown) => "shutdown".to_string(),
            Action::Ended(Outcome::Escalated(Blame { worker, exit })) => {
                format!("escalated {} {}", name(worker), exit.name())
            }
            Action::Ended(Outcome::TooManyAbandoned(worker)) => format!("abandoned {}", name(worker)),
        }
    }
}

/// Steps through a history of lines `ms event -> actions`.
#[track_caller]
fn check(root: Group, history: &str) -> Rig {
    let mut rig = Rig::new(root);
    let lines = || history.lines().map(str::trim).filter(|line| !line.is_empty());
    let step = |line: &str| {
        let step = line.split_once("->").unwrap().0.trim();
        format!("{step} -> {}", rig.step(step)).trim().to_owned()
    };
    let actual: Vec<String> = lines().map(step).collect();
    assert_eq!(actual.join("\n"), lines().collect::<Vec<_>>().join("\n"));
    rig
}

#[test]
fn restart_types() {
    let check = |restart, exit: Exit, expected: &str| {
        let root = group(Strategy::OneForOne, vec![Worker { restart, ..worker("a") }.into()]);
        let mut rig = Rig::new(root);
        assert_eq!(rig.step("0 start"), "+a1");
        assert_eq!(rig.step(&format!("1 a {}", exit.name())), expected, "{restart:?} {exit:?}");
    };
    use RestartType::{Permanent, Temporary, Transient};
    for exit in Exit::ALL {
        check(Permanent, exit, if exit == Exit::Fatal { "" } else { "+a2" });
        check(Transient, exit, if matches!(exit, Exit::Fatal | Exit::Normal) { "" } else { "+a2" });
        check(Temporary, exit, "");
    }
}

#[test]
fn one_for_one_restarts_the_child_alone() {
    check(
        abc(Strategy::OneForOne),
        "0 start -> +a1, +b1, +c1
         10 b panic -> +b2
         10 b1 panic ->
         20 a error -> +a2
         20 b normal -> +b3",
    );
}

#[test]
fn rest_for_one_restarts_those_after_it_too() {
    check(
        abc(Strategy::RestForOne),
        "0 start -> +a1, +b1, +c1
         10 b panic -> -c1
         20 c normal -> +b2, +c2
         30 c error -> +c3
         40 a error -> -c3
         50 c normal -> -b2
         60 b normal -> +a2, +b3, +c4",
    );
}

#[test]
fn one_for_all_restarts_everybody() {
    check(
        abc(Strategy::OneForAll),
        "0 start -> +a1, +b1, +c1
         10 b panic -> -c1
         20 c normal -> -a1
         30 a normal -> +a2, +b2, +c2",
    );
}

#[test]
fn who_fails_while_siblings_are_stopped_is_down() {
    let intensity = Some(Intensity { restarts: 1, period: ms(1_000) });
    let rig = check(
        Group { intensity, ..abc(Strategy::OneForAll) },
        "0 start -> +a1, +b1, +c1
         10 b panic -> -c1
         11 a panic ->
         12 c error -> +a2, +b2, +c2",
    );
    assert_eq!(rig.status("a").last_exit, Some(Exit::Panic));
    assert_eq!(rig.status("a").failures, 0, "it is not counted");
    // In rest for one a failure further to the front extends what is under way, and counts.
    check(
        Group { intensity, ..abc(Strategy::RestForOne) },
        "0 start -> +a1, +b1, +c1
         10 b panic -> -c1
         11 a panic ->
         12 c normal -> escalated a panic",
    );
    check(
        abc(Strategy::RestForOne),
        "0 start -> +a1, +b1, +c1
         10 b panic -> -c1
         11 a panic ->
         12 c normal -> +a2, +b2, +c2",
    );
}

#[test]
fn a_stop_has_its_time_and_then_the_thread_is_left_behind() {
    let rig = check(
        abc(Strategy::OneForAll),
        "0 start -> +a1, +b1, +c1
         10 a panic -> -c1
         109 wake ->
         110 wake -> xc1 StopTimeout, -b1
         150 c1 normal ->
         209 b normal -> +a2, +b2, +c2",
    );
    assert_eq!(rig.tree.abandoned(), 0, "the late end of c was told");
}

#[test]
fn a_storm_of_restarts_escalates() {
    let core = Group {
        name: "core".into(),
        intensity: Some(Intensity { restarts: 2, period: ms(100) }),
        ..group(Strategy::OneForAll, vec![worker("b").into(), worker("c").into()])
    };
    let root = Group {
        intensity: Some(Intensity { restarts: 1, period: ms(10_000) }),
        ..group(Strategy::RestForOne, vec![worker("a").into(), core.into(), worker("d").into()])
    };
    let storm = "0 start -> +a1, +b1, +c1, +d1
         10 b panic -> -c1
         10 c normal -> +b2, +c2
         20 b panic -> -c2
         20 c normal -> +b3, +c3
         30 b panic -> -c3
         31 c normal -> -d1
         32 d normal -> +b4, +c4, +d2
         140 b panic -> -c4
         140 c normal -> +b5, +c5
         141 b panic -> -c5
         141 c normal -> +b6, +c6\n";
    let rig = check(
        root.clone(),
        &(storm.to_owned()
            + "240 b panic -> -c6
               243 c normal -> -d2
               244 d normal -> -a1
               245 a normal -> escalated b panic"),
    );
    let core = rig.tree.status(Node::Group(GroupId(1))).unwrap();
    assert_eq!((core.failures, core.generation, core.last_exit), (2, Generation(2), Some(Exit::Panic)));
    // A shutdown takes over what has not failed yet.
    check(
        root.clone(),
        &(storm.to_owned()
            + "240 b panic -> -c6
               242 shutdown -> -d2
               243 c normal ->
               244 d normal -> -a1
               245 a normal -> shutdown"),
    );
    // Just beyond the period the first of the restarts is forgotten.
    check(
        root,
        &(storm.to_owned()
            + "241 b panic -> -c6
               241 c normal -> +b7, +c7"),
    );
}

#[test]
fn a_shutdown_takes_turns() {
    let inner = group(Strategy::OneForOne, vec![worker("b").into(), worker("c").into()]);
    let root = group(Strategy::OneForOne, vec![worker("a").into(), inner.into(), worker("d").into()]);
    assert_eq!(root.shutdown_max(), ms(400));
    let rig = check(
        root.clone(),
        "0 start -> +a1, +b1, +c1, +d1
         10 shutdown -> -d1
         10 shutdown ->
         110 wake -> xd1 StopTimeout, -c1
         210 wake -> xc1 StopTimeout, -b1
         310 wake -> xb1 StopTimeout, -a1
         409 wake ->
         410 wake -> xa1 StopTimeout, shutdown
         411 start ->
         411 a1 normal ->",
    );
    assert_eq!((rig.tree.outcome(), rig.tree.shutdown_max()), (Some(Outcome::Shutdown), ms(400)));
    // Whoever fails in its group's turn stays down, before that it comes back.
    let rig = check(
        root,
        "0 start -> +a1, +b1, +c1, +d1
         10 shutdown -> -d1
         11 a panic ->
         12 b panic -> +b2
         13 d error -> -c1
         14 b error ->
         15 c hang -> shutdown",
    );
    assert_eq!((rig.status("a").last_exit, rig.status("a").failures), (Some(Exit::Panic), 0));
}

#[test]
fn siblings_come_back_by_their_own_rules() {
    let typed = |name, restart| Worker { restart, ..worker(name) }.into();
    let children = || {
        let (temporary, transient) = (RestartType::Temporary, RestartType::Transient);
        vec![worker("a").into(), typed("b", temporary), typed("c", transient), typed("d", temporary)]
    };
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let rig = check(
            group(strategy, children()),
            "0 start -> +a1, +b1, +c1, +d1
             10 c normal ->
             11 d panic ->
             20 a panic -> -b1
             21 b normal -> +a2, +c2",
        );
        assert_eq!((rig.status("b").state, rig.status("b").restarts), (State::Stopped, 0));
        // A group that is restarted itself begins as new.
        check(
            group(strategy, vec![worker("e").into(), group(strategy, children()).into()]),
            "0 start -> +e1, +a1, +b1, +c1, +d1
             10 c normal ->
             11 d panic ->
             12 b normal ->
             20 e panic -> -a1
             21 a normal -> +e2, +a2, +b2, +c2, +d2",
        );
    }
}

#[test]
fn nobody_and_nothing_are_ignored() {
    let mut tree = Tree::new(abc(Strategy::OneForAll), 7);
    let mut actions = Vec::new();
    tree.step(ms(0), Event::Start, &mut actions);
    actions.clear();
    for (worker, generation) in [(3, 1), (usize::MAX, 1), (0, 0), (0, 2), (0, u64::MAX)] {
        let (worker, generation) = (WorkerId(worker), Generation(generation));
        tree.step(ms(1), Event::Exited { worker, generation, exit: Exit::Panic }, &mut actions);
        tree.step(ms(1), Event::Heard { worker, generation, until: ms(0) }, &mut actions);
    }
    assert_eq!((actions, tree.next_wake()), (vec![], None));
    for node in [Node::Worker(WorkerId(3)), Node::Group(GroupId(1))] {
        assert_eq!((tree.status(node), tree.name(node), tree.parent(node)), (None, "", None));
    }
    // Before the start, and without anybody.
    check(
        abc(Strategy::OneForAll),
        "0 wake ->
         0 a panic ->
         1 shutdown -> shutdown
         2 start ->",
    );
    check(
        group(Strategy::OneForOne, vec![]),
        "0 start ->
         1 shutdown -> shutdown",
    );
}
