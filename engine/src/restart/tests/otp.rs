//! The machine against a model of OTP's rules, written after the documentation of `supervisor` as the plain
//! recursion that it describes: a supervisor stops its children one by one and waits for each.
//!
//! The model makes up a history as it goes: whatever happens, happens at the start or while a worker takes
//! its time to end. The machine is then told what happened, and has to want the same things done at the same
//! points. Restarts wait for nothing here; hangs, back-off and what is late are not OTP's and tested elsewhere.
//!
//! Where the model leaves OTP, as the machine does: a supervisor that waits for a child to end learns of
//! another failure at once, not afterwards; and [`Exit::Fatal`], which OTP does not have.

use super::*;

const HISTORIES: u64 = 100_000;

/// Nobody is ever late.
const LONG: Duration = ms(3_600_000);

struct Supervisor {
    /// And the place there.
    parent: Option<(usize, usize)>,
    strategy: Strategy,
    intensity: Option<Intensity>,
    children: Vec<Node>,
    is_up: bool,
    /// When it restarted a child, ever.
    restarts: Vec<Duration>,
    /// It is stopping its children from this place on.
    stops_from: Option<usize>,
    /// A number for whatever it does at present: if it changes, somebody made it do something else.
    task: u64,
}

struct Process {
    parent: usize,
    place: usize,
    restart: RestartType,
    /// It is killed without being asked: OTP's `brutal_kill`.
    is_killed: bool,
    is_up: bool,
    is_asked: bool,
    generation: u64,
}

/// A moment, what happened, and what was to be done about it.
type Line = (Duration, Event, Vec<Action>);

struct Model {
    dice: Dice,
    supervisors: Vec<Supervisor>,
    processes: Vec<Process>,
    now: Duration,
    /// How much is still to happen.
    happenings: usize,
    outcome: Option<Outcome>,
    history: Vec<Line>,
}

impl Model {
    fn new(root: &Group, dice: Dice, happenings: usize) -> Model {
        let (supervisors, processes, history) = (Vec::new(), Vec::new(), Vec::new());
        let now = Duration::ZERO;
        let mut model = Model { dice, supervisors, processes, now, happenings, outcome: None, history };
        model.add(root, None);
        model
    }

    fn add(&mut self, group: &Group, parent: Option<(usize, usize)>) -> Node {
        let id = self.supervisors.len();
        let Group { strategy, intensity, .. } = *group;
        let (children, restarts) = (Vec::new(), Vec::new());
        let (is_up, stops_from, task) = (false, None, 0);
        let new = Supervisor { parent, strategy, intensity, children, is_up, restarts, stops_from, task };
        self.supervisors.push(new);
        for (place, child) in group.children.iter().enumerate() {
            let child = match child {
                Child::Group(group) => self.add(group, Some((id, place))),
                Child::Worker(worker) => {
                    let (restart, is_killed) = (worker.restart, worker.shutdown.is_zero());
                    let (is_up, is_asked, generation) = (false, false, 0);
                    let parent = id;
                    let new = Process { parent, place, restart, is_killed, is_up, is_asked, generation };
                    self.processes.push(new);
                    Node::Worker(WorkerId(self.processes.len() - 1))
                }
            };
            self.supervisors[id].children.push(child);
        }
        Node::Group(GroupId(id))
    }

    /// A whole history.
    fn run(mut self) -> Model {
        self.told(Event::Start);
        self.start(Node::Group(GroupId(0)), None);
        while self.happenings > 0 {
            self.something_happens();
        }
        self
    }

    fn told(&mut self, event: Event) {
        self.history.push((self.now, event, Vec::new()));
    }

    fn wants(&mut self, action: Action) {
        self.history.last_mut().unwrap().2.push(action);
    }

    fn something_happens(&mut self) {
        self.happenings -= 1;
        self.now += ms(self.dice.below(8) as u64);
        if self.dice.one_in(40) {
            self.told(Event::Shutdown);
            return self.end(Outcome::Shutdown);
        }
        let worker = WorkerId(self.dice.below(self.processes.len()));
        let exit = self.dice.of(&[Exit::Normal, Exit::Error, Exit::Panic, Exit::Panic, Exit::Fatal]);
        let Process { is_up, is_asked, generation, .. } = self.processes[worker.0];
        if is_asked {
            // Its end is its answer, which comes in time.
            return;
        }
        let is_old = self.dice.one_in(10) && generation > 0;
        let generation = Generation(if is_old { generation - 1 } else { generation });
        self.told(Event::Exited { worker, generation, exit });
        if is_up && !is_old {
            self.died(worker, exit);
        }
    }

    fn died(&mut self, worker: WorkerId, exit: Exit) {
        let process = &mut self.processes[worker.0];
        process.is_up = false;
        let (parent, place) = (process.parent, process.place);
        let is_restarted = match (process.restart, exit) {
            (RestartType::Permanent, _) => true,
            (RestartType::Transient, exit) => exit != Exit::Normal,
            (RestartType::Temporary, _) => false,
        };
        if !is_restarted || self.is_stopping(parent, place) {
            return;
        }
        let blame = Blame { worker, exit };
        match (exit, self.supervisors[parent].strategy) {
            (Exit::Fatal, Strategy::OneForOne) => {}
            (Exit::Fatal, _) => self.give_up(parent, blame),
            _ => self.restart(parent, place, blame),
        }
    }

    fn is_stopping(&self, id: usize, place: usize) -> bool {
        self.supervisors[id].stops_from.is_some_and(|from| place >= from)
    }

    /// "If more than MaxR restarts occur within MaxT seconds, the supervisor terminates all child processes
    /// and then itself."
    fn restart(&mut self, id: usize, place: usize, blame: Blame) {
        let now = self.now;
        let supervisor = &mut self.supervisors[id];
        supervisor.restarts.push(now);
        if let Some(Intensity { restarts, period }) = supervisor.intensity {
            let recent = supervisor.restarts.iter().filter(|at| now - **at <= period).count();
            if recent > restarts as usize {
                return self.give_up(id, blame);
            }
        }
        let from = match supervisor.strategy {
            Strategy::OneForOne => {
                let child = supervisor.children[place];
                return self.start(child, Some(blame));
            }
            Strategy::RestForOne => place,
            Strategy::OneForAll => 0,
        };
        if self.stop_children(id, from) {
            for place in from..self.supervisors[id].children.len() {
                let child = self.supervisors[id].children[place];
                // "A temporary child process is never restarted, even when a sibling's death causes it to be
                // terminated."
                if !self.is_temporary(child) {
                    self.start(child, Some(blame));
                }
            }
        }
    }

    fn is_temporary(&self, node: Node) -> bool {
        matches!(node, Node::Worker(id) if self.processes[id.0].restart == RestartType::Temporary)
    }

    fn give_up(&mut self, id: usize, blame: Blame) {
        let Some((parent, place)) = self.supervisors[id].parent else {
            return self.end(Outcome::Escalated(blame));
        };
        if self.stop_children(id, 0) {
            self.supervisors[id].is_up = false;
            if !self.is_stopping(parent, place) {
                self.restart(parent, place, blame);
            }
        }
    }

    fn end(&mut self, outcome: Outcome) {
        if self.outcome.is_none() {
            self.outcome = Some(outcome);
            self.stop_children(0, 0);
            self.supervisors[0].is_up = false;
            self.wants(Action::Ended(outcome));
        }
    }

    fn start(&mut self, node: Node, blame: Option<Blame>) {
        match node {
            Node::Group(GroupId(id)) => {
                let supervisor = &mut self.supervisors[id];
                supervisor.is_up = true;
                supervisor.restarts.clear();
                for child in supervisor.children.clone() {
                    self.start(child, blame);
                }
            }
            Node::Worker(worker) => {
                let process = &mut self.processes[worker.0];
                let why = match blame {
                    Some(blame) if process.generation > 0 && blame.worker == worker => {
                        Why::Failed(blame.exit)
                    }
                    Some(blame) if process.generation > 0 => Why::With(blame),
                    _ => Why::First,
                };
                process.is_up = true;
                process.generation += 1;
                let generation = Generation(process.generation);
                self.wants(Action::Start { worker, generation, why });
            }
        }
    }

    /// "The children are terminated in the reverse start order." False if this is no longer what the
    /// supervisor does.
    fn stop_children(&mut self, id: usize, from: usize) -> bool {
        let supervisor = &mut self.supervisors[id];
        supervisor.stops_from = Some(from);
        supervisor.task += 1;
        let task = supervisor.task;
        for place in (from..supervisor.children.len()).rev() {
            match self.supervisors[id].children[place] {
                Node::Group(GroupId(child)) => self.stop_supervisor(child),
                Node::Worker(worker) => self.stop(worker),
            }
            if self.supervisors[id].task != task {
                return false;
            }
        }
        self.supervisors[id].stops_from = None;
        true
    }

    fn stop_supervisor(&mut self, id: usize) {
        let is_up = self.supervisors[id].is_up;
        if is_up && self.stop_children(id, 0) {
            self.supervisors[id].is_up = false;
        }
    }

    fn stop(&mut self, worker: WorkerId) {
        let Process { generation, is_killed, is_up, is_asked, .. } = self.processes[worker.0];
        if !is_up {
            return;
        }
        let generation = Generation(generation);
        if !is_asked {
            self.wants(Action::Stop { worker, generation });
        }
        if is_killed {
            self.wants(Action::Abandon { worker, generation, cause: Neglect::StopTimeout });
            self.processes[worker.0].is_up = false;
            return;
        }
        self.processes[worker.0].is_asked = true;
        if !is_asked {
            while self.happenings > 0 && self.dice.one_in(3) {
                self.something_happens();
            }
        }
        let process = &mut self.processes[worker.0];
        // Somebody else may have stopped it meanwhile, and even started it anew.
        if process.is_asked && process.generation == generation.0 {
            process.is_asked = false;
            process.is_up = false;
            let exit = self.dice.of(&Exit::ALL);
            self.told(Event::Exited { worker, generation, exit });
        }
    }
}

/// Up to three levels of up to nine workers.
fn random_spec(dice: &mut Dice) -> Group {
    let mut names = 'a'..'j';
    random_group(dice, 1, &mut names)
}

fn random_group(dice: &mut Dice, level: usize, names: &mut impl Iterator<Item = char>) -> Group {
    let strategy = dice.of(&[Strategy::OneForOne, Strategy::RestForOne, Strategy::OneForAll]);
    let period = ms(dice.below(20) as u64);
    let intensity = Intensity { restarts: dice.below(4) as u32, period };
    let mut children = Vec::new();
    for _ in 0..=dice.below(3) {
        if level < 3 && dice.one_in(2) {
            children.push(random_group(dice, level + 1, names).into());
        } else if let Some(name) = names.next() {
            let of = [RestartType::Permanent, RestartType::Permanent, RestartType::Transient];
            let restart = if dice.one_in(5) { RestartType::Temporary } else { dice.of(&of) };
            let shutdown = if dice.one_in(8) { Duration::ZERO } else { LONG };
            children.push(Worker { restart, shutdown, ..worker(&name.to_string()) }.into());
        }
    }
    Group { intensity: (!dice.one_in(4)).then_some(intensity), ..group(strategy, children) }
}

fn text_of(group: &Group) -> String {
    let children = group.children.iter().map(|child| match child {
        Child::Group(group) => text_of(group),
        Child::Worker(worker) => {
            let kill = if worker.shutdown.is_zero() { " killed" } else { "" };
            format!("{} {:?}{kill}", worker.name, worker.restart)
        }
    });
    let children: Vec<_> = children.collect();
    let intensity = group.intensity.map(|i| format!(" {} in {:?}", i.restarts, i.period));
    format!("{:?}{} [{}]", group.strategy, intensity.unwrap_or_default(), children.join(", "))
}

/// What differs between the model's history and the machine's, as text.
fn difference(root: &Group, model: &Model) -> Option<String> {
    let mut tree = Tree::new(root.clone(), 7).with_abandoned_max(usize::MAX);
    let mut actions = Vec::new();
    for (number, (now, event, expected)) in model.history.iter().enumerate() {
        actions.clear();
        tree.step(*now, *event, &mut actions);
        if actions != *expected || tree.next_wake().is_some_and(|wake| wake <= *now) {
            let lines = model.history[..=number].iter();
            let lines: Vec<_> =
                lines.map(|line| format!("{:?} {:?} -> {:?}", line.0, line.1, line.2)).collect();
            let spec = text_of(root);
            return Some(format!("{spec}\n{}\nbut the machine wants {actions:?}", lines.join("\n")));
        }
    }
    let is_up = |worker| matches!(tree.status(Node::Worker(WorkerId(worker)))?.state, State::Running).into();
    let up: Vec<Option<bool>> = (0..model.processes.len()).map(is_up).collect();
    let expected: Vec<_> = model.processes.iter().map(|process| Some(process.is_up)).collect();
    (up != expected).then(|| format!("{}: {up:?} run, not {expected:?}", text_of(root)))
}

#[test]
fn behaves_as_otp_in_a_hundred_thousand_histories() {
    let mut shortest: Option<(usize, String)> = None;
    let (mut failures, mut steps, mut starts) = (0, 0, 0);
    let (mut shut_down, mut escalated, mut fatal) = (0, 0, 0);
    for seed in 0..HISTORIES {
        let mut dice = Dice::new(seed);
        let root = random_spec(&mut dice);
        let happenings = 1 + dice.below(16);
        let model = Model::new(&root, dice, happenings).run();
        steps += model.history.len();
        starts += model.history.iter().flat_map(|line| &line.2).filter(|a| is_restart(a)).count();
        match model.outcome {
            Some(Outcome::Escalated(Blame { exit: Exit::Fatal, .. })) => fatal += 1,
            Some(Outcome::Escalated(_)) => escalated += 1,
            Some(_) => shut_down += 1,
            None => {}
        }
        let Some(difference) = difference(&root, &model) else { continue };
        failures += 1;
        if shortest.as_ref().is_none_or(|(length, _)| difference.len() < *length) {
            shortest = Some((difference.len(), format!("seed {seed}: {difference}")));
        }
    }
    let seen = [steps, starts, shut_down, escalated, fatal];
    assert_eq!(failures, 0, "the shortest of them: {}", shortest.unwrap_or_default().1);
    assert!(seen.iter().all(|count| *count > 2_000), "hardly anything happened: {seen:?}");
}

fn is_restart(action: &Action) -> bool {
    matches!(action, Action::Start { why: Why::Failed(_) | Why::With(_), .. })
}
