//! What holds in every history, with everything that the model of OTP leaves out: back-off, hangs, late stops,
//! late wake-ups, giving up, groups that stop together, threads left behind.

use std::collections::BTreeSet;

use super::*;

const HISTORIES: u64 = 20_000;
const EVENTS: usize = 40;

/// What the caller knows of a worker.
#[derive(Clone, Default)]
struct Known {
    /// The number of the last start.
    generation: u64,
    /// And that of its group's.
    group: Generation,
    is_live: bool,
    is_asked: bool,
    /// When it ended last, as far as it was told.
    ended: Duration,
    /// Starts of a child that failed itself: the generation of its group and the moment of the failure.
    restarts: Vec<(Generation, Duration)>,
}

struct World {
    dice: Dice,
    tree: Tree,
    /// Told the same, wants the same.
    twin: Tree,
    workers: Vec<(Worker, GroupId, Known)>,
    /// Of each group.
    groups: Vec<Group>,
    left_behind: BTreeSet<(usize, u64)>,
    now: Duration,
    has_ended: bool,
    happened: [usize; 6],
}

impl World {
    fn new(seed: u64) -> World {
        let mut dice = Dice::new(seed);
        let root = random_group(&mut dice, 1);
        let abandoned_max = dice.of(&[0, 1, 4, usize::MAX]);
        let tree = Tree::new(root.clone(), seed).with_abandoned_max(abandoned_max);
        let (mut groups, mut workers) = (Vec::new(), Vec::new());
        collect(&root, &mut groups, &mut workers);
        World {
            dice,
            twin: tree.clone(),
            tree,
            workers,
            groups,
            left_behind: BTreeSet::new(),
            now: Duration::ZERO,
            has_ended: false,
            happened: [0; 6],
        }
    }

    fn run(&mut self) {
        self.step(self.now, Event::Start);
        for _ in 0..EVENTS {
            let wake = self.tree.next_wake().unwrap_or(self.now + ms(30));
            let later = self.now + ms(self.dice.below(30) as u64);
            let late = ms(self.dice.below(300) as u64);
            match self.dice.below(8) {
                0 | 1 => self.step(wake, Event::Wake),
                2 => self.step(wake + late, Event::Wake),
                _ => {
                    let event = self.random_event();
                    self.step(later, event);
                }
            }
        }
        let start = self.now;
        self.step(start, Event::Shutdown);
        // From now on nobody wakes late, and whoever wants to ends in time.
        while !self.has_ended {
            let wake = self.tree.next_wake().expect("it waits for somebody");
            let later = self.now + ms(self.dice.below(30) as u64);
            if later < wake && self.dice.one_in(2) {
                let event = self.random_event();
                self.step(later, event);
            } else {
                self.step(wake, Event::Wake);
            }
            let lasts = self.now - start;
            assert!(lasts <= self.tree.shutdown_max(), "{lasts:?} since the shutdown");
        }
        for event in [Event::Start, Event::Wake, Event::Shutdown, self.random_event()] {
            self.step(self.now + ms(1), event);
        }
    }

    fn random_event(&mut self) -> Event {
        // One more than there are: nobody.
        let place = self.dice.below(self.workers.len() + 1);
        let generation = self.workers.get(place).map_or(1, |(_, _, known)| known.generation);
        let old = self.dice.below(3) as u64 * u64::from(self.dice.one_in(5));
        let (worker, generation) = (WorkerId(place), Generation(generation.saturating_sub(old)));
        let rest = ms(self.dice.below(100) as u64);
        match self.dice.below(9) {
            0 => Event::Start,
            1..=3 => Event::Heard { worker, generation, until: self.now + rest },
            4 => Event::Heard { worker, generation, until: self.dice.of(&[Duration::ZERO, Duration::MAX]) },
            _ => Event::Exited { worker, generation, exit: self.random_exit() },
        }
    }

    fn random_exit(&mut self) -> Exit {
        if self.dice.one_in(12) {
            Exit::Fatal
        } else {
            self.dice.of(&[Exit::Normal, Exit::Error, Exit::Panic])
        }
    }

    fn step(&mut self, now: Duration, event: Event) {
        self.now = now;
        let (mut actions, mut same) = (Vec::new(), Vec::new());
        self.tree.step(now, event, &mut actions);
        self.twin.step(now, event, &mut same);
        assert_eq!(actions, same);
        assert!(actions.is_empty() || !self.has_ended, "after the end: {actions:?}");
        if let Event::Exited { worker, generation, .. } = event {
            self.left_behind.remove(&(worker.0, generation.0));
            if let Some((_, _, known)) = self.workers.get_mut(worker.0)
                && known.is_live
                && known.generation == generation.0
            {
                (known.is_live, known.ended) = (false, now);
            }
        }
        for action in actions {
            self.carry_out(action);
        }
        assert!(self.tree.next_wake().is_none_or(|wake| wake > now), "wakes for nothing");
        assert_eq!(self.tree.abandoned(), self.left_behind.len());
        assert_eq!(self.tree.outcome().is_some(), self.has_ended);
        self.states_are_true();
    }

    fn carry_out(&mut self, action: Action) {
        match action {
            Action::Start { worker, generation, why } => {
                let (_, parent, known) = &mut self.workers[worker.0];
                assert!(!known.is_live && generation.0 == known.generation + 1, "{action:?}");
                let group = self.tree.status(Node::Group(*parent)).unwrap().generation;
                // Not if its group is new too: then it is that one's parent that bears it.
                if matches!(why, Why::Failed(_)) && group == known.group {
                    known.restarts.push((group, known.ended));
                    self.happened[0] += 1;
                }
                known.group = group;
                (known.generation, known.is_live, known.is_asked) = (generation.0, true, false);
            }
            Action::Stop { worker, generation } => {
                let (_, parent, known) = &mut self.workers[worker.0];
                assert!(known.is_live && known.generation == generation.0, "{action:?}");
                assert!(!core::mem::replace(&mut known.is_asked, true), "twice: {action:?}");
                let parent = *parent;
                let others = self.workers[worker.0 + 1..].iter();
                let mut later = others.filter(|(_, group, _)| *group == parent);
                let is_together = self.groups[parent.0].stops_together;
                assert!(is_together || !later.any(|(.., known)| known.is_live), "in order: {action:?}");
            }
            Action::Abandon { worker, generation, cause } => {
                let (_, _, known) = &mut self.workers[worker.0];
                assert!(known.is_live && known.generation == generation.0, "{action:?}");
                assert_eq!(known.is_asked, cause == Neglect::StopTimeout, "{action:?}");
                (known.is_live, known.ended) = (false, self.now);
                self.left_behind.insert((worker.0, generation.0));
                self.happened[if known.is_asked { 1 } else { 2 }] += 1;
            }
            Action::Ended(outcome) => {
                self.has_ended = true;
                assert!(self.workers.iter().all(|(.., known)| !known.is_live));
                assert_eq!(self.tree.outcome(), Some(outcome));
                self.happened[match outcome {
                    Outcome::Shutdown => 3,
                    Outcome::Escalated(_) => 4,
                    Outcome::TooManyAbandoned(_) => 5,
                }] += 1;
            }
        }
    }

    /// What can be asked agrees with what the caller was told, and nobody is forgotten.
    fn states_are_true(&self) {
        let is_quiet = self.tree.next_wake().is_none();
        let root = self.tree.status(Node::Group(GroupId(0))).unwrap().state;
        for (id, (spec, parent, known)) in self.workers.iter().enumerate() {
            let status = self.tree.status(Node::Worker(WorkerId(id))).unwrap();
            assert_eq!(status.generation.0, known.generation);
            let is_live = match status.state {
                State::Starting | State::Running => known.is_live && !known.is_asked,
                State::Stopping { until } => known.is_live && known.is_asked && until > self.now,
                State::BackingOff { .. } | State::Stopped | State::Failed => !known.is_live,
            };
            assert!(is_live, "{status:?}");
            if is_quiet && root == State::Running && spec.restart == RestartType::Permanent {
                let is_alone = self.groups[parent.0].strategy == Strategy::OneForOne;
                let has_failed = status.state == State::Failed && is_alone;
                assert!(known.is_live || has_failed, "forgotten: {} {status:?}", spec.name);
            }
        }
    }

    /// No group has borne more failures than it bears.
    fn restarts_are_borne(&self) {
        for (id, group) in self.groups.iter().enumerate() {
            let Some(Intensity { restarts, period }) = group.intensity else { continue };
            let children = self.workers.iter().filter(|(_, parent, _)| parent.0 == id);
            let mut all: Vec<_> = children.flat_map(|(.., known)| known.restarts.clone()).collect();
            all.sort();
            for window in all.windows(restarts as usize + 1) {
                let (first, last) = (window[0], window[restarts as usize]);
                assert!(first.0 != last.0 || last.1 - first.1 > period, "{window:?} in {period:?}");
            }
        }
    }
}

fn random_group(dice: &mut Dice, level: usize) -> Group {
    let wait = |dice: &mut Dice| Backoff {
        base: ms(dice.below(50) as u64),
        cap: ms(dice.below(200) as u64),
        healthy: ms(dice.below(300) as u64),
    };
    let mut children = Vec::new();
    for number in 0..=dice.below(3) {
        if level < 3 && dice.one_in(2) {
            children.push(random_group(dice, level + 1).into());
            continue;
        }
        let worker = Worker {
            name: format!("{level}.{number}"),
            restart: dice.of(&[RestartType::Permanent, RestartType::Transient, RestartType::Temporary]),
            backoff: wait(dice),
            shutdown: ms(dice.below(60) as u64),
            hang_after: dice.one_in(2).then(|| ms(dice.below(80) as u64)),
            give_up_after: dice.one_in(4).then(|| ms(dice.below(400) as u64)),
        };
        children.push(worker.into());
    }
    let intensity = Intensity { restarts: dice.below(4) as u32, period: ms(dice.below(200) as u64) };
    Group {
        name: "group".into(),
        strategy: dice.of(&[Strategy::OneForOne, Strategy::RestForOne, Strategy::OneForAll]),
        intensity: dice.one_in(2).then_some(intensity),
        backoff: wait(dice),
        stops_together: dice.one_in(4),
        comes_back: dice.one_in(4),
        children,
    }
}

/// In the order of their numbers.
fn collect(group: &Group, groups: &mut Vec<Group>, workers: &mut Vec<(Worker, GroupId, Known)>) {
    let id = GroupId(groups.len());
    groups.push(group.clone());
    for child in &group.children {
        match child {
            Child::Worker(worker) => workers.push((worker.clone(), id, Known::default())),
            Child::Group(group) => collect(group, groups, workers),
        }
    }
}

#[test]
fn what_holds_in_every_history() {
    let mut happened = [0; 6];
    for seed in 0..HISTORIES {
        let run = || {
            let mut world = World::new(seed);
            world.run();
            world.restarts_are_borne();
            world.happened
        };
        let run = std::panic::catch_unwind(run);
        let counts = run.unwrap_or_else(|_| panic!("in the history of seed {seed}"));
        happened.iter_mut().zip(counts).for_each(|(all, count)| *all += count);
    }
    assert!(happened.iter().all(|count| *count > 1_000), "hardly anything happened: {happened:?}");
}
