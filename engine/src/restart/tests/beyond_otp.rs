//! What OTP does not have: hangs, back-off, failing for good, threads left behind, stopping together.

use super::*;

/// A worker that hangs 50 ms after it was last known to be well.
fn watched(name: &str) -> Worker {
    Worker { hang_after: Some(ms(50)), ..worker(name) }
}

/// A worker whose restarts wait for up to 100, 200, and then 400 ms.
fn slow(name: &str) -> Worker {
    let backoff = Backoff { base: ms(100), cap: ms(400), healthy: ms(1_000) };
    Worker { backoff, ..worker(name) }
}

#[test]
fn who_is_silent_hangs() {
    let rig = check(
        group(Strategy::OneForOne, vec![watched("a").into(), worker("b").into()]),
        "0 start -> +a1, +b1
         49 a heard 49 ->
         98 wake ->
         99 wake -> xa1 Hang, +a2
         100 a1 heard 1000 ->
         149 wake -> xa2 Hang, +a3
         199 a error -> +a4
         200 a heard 500 ->
         549 wake ->
         549 a heard 9000 ->
         550 a heard 550 ->
         599 wake ->
         600 wake -> xa4 Hang, +a5
         600 a heard ->
         3600000 wake ->",
    );
    assert_eq!((rig.tree.abandoned(), rig.tree.next_wake()), (3, None));
    assert_eq!((rig.status("a").state, rig.status("b").state), (State::Running, State::Running));
    // It counts as a failure, but not while it waits for its turn to be stopped.
    let intensity = Some(Intensity { restarts: 1, period: ms(1_000) });
    let children = vec![watched("a").into(), worker("b").into(), worker("c").into()];
    let rig = check(
        Group { intensity, ..group(Strategy::OneForAll, children) },
        "0 start -> +a1, +b1, +c1
         10 b panic -> -c1
         60 wake ->
         110 wake -> xc1 StopTimeout, -a1
         120 a normal -> +a2, +b2, +c2
         169 wake ->
         170 wake -> xa2 Hang, -c2
         170 c normal -> -b2
         170 b normal -> escalated a hang",
    );
    assert_eq!(rig.status("a").generation, Generation(2));
    // No time at all is the least that there is.
    check(
        group(Strategy::OneForOne, vec![Worker { hang_after: Some(ms(0)), ..worker("a") }.into()]),
        "0 start -> +a1
         1 wake -> xa1 Hang, +a2",
    );
}

#[test]
fn a_restart_waits() {
    let mut rig = Rig::new(group(Strategy::OneForOne, vec![slow("a").into(), worker("b").into()]));
    rig.step("0 start");
    for (failures, longest, is_degraded) in [(1, 100, false), (2, 200, false), (3, 400, true), (4, 400, true)]
    {
        let mut actions = Vec::new();
        let (worker, generation) = rig.who("a");
        rig.tree.step(rig.now, Event::Exited { worker, generation, exit: Exit::Error }, &mut actions);
        assert_eq!(actions, []);
        let until = rig.tree.next_wake().unwrap();
        assert!(until - rig.now <= ms(longest), "{until:?} after {:?}", rig.now);
        let status = rig.status("a");
        let actual = (status.state, status.failures_in_a_row, status.is_degraded);
        assert_eq!(actual, (State::BackingOff { until }, failures, is_degraded));
        let root = rig.tree.status(Node::Group(GroupId(0))).unwrap();
        assert_eq!((root.state, root.is_degraded), (State::Running, is_degraded));
        rig.now = until - Duration::from_nanos(1);
        rig.tree.step(rig.now, Event::Wake, &mut actions);
        assert_eq!(actions, []);
        rig.now = until;
        rig.tree.step(until, Event::Wake, &mut actions);
        assert!(matches!(actions[..], [Action::Start { worker: WorkerId(0), .. }]), "{actions:?}");
    }
    let healthy = rig.tree.next_wake().unwrap();
    assert_eq!(healthy, rig.now + ms(1_000));
    rig.tree.step(healthy, Event::Wake, &mut Vec::new());
    let status = rig.status("a");
    assert_eq!((status.failures, status.failures_in_a_row, status.is_degraded), (4, 0, false));
    assert_eq!(rig.tree.next_wake(), None);
}

#[test]
fn who_is_silent_is_not_known_to_be_healthy() {
    let backoff = Backoff { healthy: ms(100), ..NOW };
    let spec = Worker { hang_after: Some(ms(1_000)), backoff, ..worker("a") };
    let mut rig = Rig::new(group(Strategy::OneForOne, vec![spec.into()]));
    for (step, failures) in [
        ("0 start", 0),
        ("0 a panic", 1),
        ("99 a heard 99", 1),
        // Hangs, and was well until 99.
        ("1099 wake", 2),
        ("1500 wake", 2),
        ("1500 a heard 1199", 0),
    ] {
        rig.step(step);
        assert_eq!(rig.status("a").failures_in_a_row, failures, "{step}");
    }
}

#[test]
fn a_stop_cuts_a_wait_short() {
    let rig = check(
        group(Strategy::OneForOne, vec![slow("a").into(), worker("b").into()]),
        "0 start -> +a1, +b1
         10 a panic ->
         10 shutdown -> -b1
         11 b normal -> shutdown
         900 wake ->",
    );
    assert_eq!(rig.status("a").state, State::Stopped);
    // A group that waits, too; and who waits starts with the group.
    let inner = |intensity| Group {
        intensity,
        backoff: slow("").backoff,
        ..group(Strategy::OneForOne, vec![slow("a").into()])
    };
    for intensity in [None, Some(Intensity { restarts: 0, period: ms(0) })] {
        check(
            group(Strategy::OneForOne, vec![inner(intensity).into()]),
            "0 start -> +a1
             10 a panic ->
             10 shutdown -> shutdown",
        );
        let middle = group(Strategy::OneForOne, vec![inner(intensity).into()]);
        let rig = check(
            group(Strategy::RestForOne, vec![worker("b").into(), middle.into()]),
            "0 start -> +b1, +a1
             10 a panic ->
             10 b panic -> +b2, +a2
             900 wake ->",
        );
        // As new: the next wait is as long as the first.
        let inner = rig.tree.status(Node::Group(GroupId(2))).unwrap();
        let worker = rig.status("a");
        assert!(inner.failures + worker.failures > 0);
        assert_eq!((inner.failures_in_a_row, worker.failures_in_a_row), (0, 0));
    }
    // The siblings are stopped at once, and the wait runs meanwhile.
    let mut rig = Rig::new(group(Strategy::OneForAll, vec![slow("a").into(), worker("b").into()]));
    rig.step("0 start");
    assert_eq!(rig.step("0 a panic"), "-b1");
    let State::BackingOff { until } = rig.status("a").state else { panic!() };
    assert!(until > ms(1), "{until:?}");
    assert_eq!(rig.step("1 b normal"), "");
    assert_eq!((rig.status("b").state, rig.tree.next_wake()), (State::BackingOff { until }, Some(until)));
    assert_eq!(rig.step("100 wake"), "+a2, +b2");
}

#[test]
fn who_can_never_work_has_failed() {
    let state = |rig: &Rig, name| (rig.status(name).state, rig.status(name).last_exit);
    let rig = check(
        abc(Strategy::OneForOne),
        "0 start -> +a1, +b1, +c1
         10 b fatal ->
         20 a panic -> +a2",
    );
    assert_eq!(state(&rig, "b"), (State::Failed, Some(Exit::Fatal)));
    assert!(rig.tree.status(Node::Group(GroupId(0))).unwrap().is_degraded);
    for strategy in [Strategy::OneForAll, Strategy::RestForOne] {
        let rig = check(
            abc(strategy),
            "0 start -> +a1, +b1, +c1
             10 b fatal -> -c1
             11 c normal -> -a1
             12 a normal -> escalated b fatal",
        );
        assert_eq!(state(&rig, "b"), (State::Failed, Some(Exit::Fatal)));
        // Temporary ones are not needed.
        let restart = RestartType::Temporary;
        check(
            group(strategy, vec![worker("a").into(), Worker { restart, ..worker("b") }.into()]),
            "0 start -> +a1, +b1
             10 b fatal ->
             20 a error -> +a2",
        );
        // The parent bears it as any failure of the group, which tries again as a new one.
        let intensity = Some(Intensity { restarts: 1, period: ms(1_000) });
        let children = vec![abc(strategy).into(), worker("d").into()];
        check(
            Group { intensity, ..group(Strategy::OneForOne, children) },
            "0 start -> +a1, +b1, +c1, +d1
             10 a fatal -> -c1
             11 c normal -> -b1
             12 b normal -> +a2, +b2, +c2
             20 a fatal -> -c2
             21 c normal -> -b2
             22 b normal -> -d1
             23 d normal -> escalated a fatal",
        );
    }
    // Who is stopped anyway is down and nothing more.
    check(
        abc(Strategy::OneForAll),
        "0 start -> +a1, +b1, +c1
         10 a panic -> -c1
         11 b fatal ->
         12 c fatal -> +a2, +b2, +c2",
    );
}

#[test]
fn who_fails_for_long_has_failed() {
    let tired = |name| Worker { give_up_after: Some(ms(100)), ..worker(name) };
    let rig = check(
        group(Strategy::OneForOne, vec![tired("a").into(), worker("b").into()]),
        "0 start -> +a1, +b1
         10 a error -> +a2
         109 a error -> +a3
         1109 wake ->
         2000 a error -> +a4
         2099 a panic -> +a5
         2100 a panic ->
         9000 wake ->",
    );
    assert_eq!((rig.status("a").state, rig.status("a").failures), (State::Failed, 5));
    assert_eq!(rig.status("b").state, State::Running);
    check(
        group(Strategy::RestForOne, vec![worker("a").into(), tired("b").into()]),
        "0 start -> +a1, +b1
         10 b error -> +b2
         110 b error -> -a1
         111 a normal -> escalated b error",
    );
}

#[test]
fn too_many_threads_left_behind_end_it() {
    let check = |abandoned_max: Option<usize>, limit: usize| {
        let spec = || group(Strategy::OneForOne, vec![watched("a").into(), worker("b").into()]);
        let mut rig = Rig::new(spec());
        if let Some(max) = abandoned_max {
            rig.tree = Tree::new(spec(), 7).with_abandoned_max(max);
        }
        assert_eq!(rig.tree.abandoned_max(), limit);
        rig.step("0 start");
        for hang in 1..=limit {
            let step = rig.step(&format!("{} wake", 50 * hang));
            assert_eq!(step, format!("xa{hang} Hang, +a{}", hang + 1));
            assert_eq!(rig.tree.abandoned(), hang);
        }
        let mut last = limit + 1;
        if limit > 0 {
            // One that ends after all makes room for another.
            let now = 50 * limit;
            assert_eq!(rig.step(&format!("{now} a1 normal")), "");
            assert_eq!(rig.step(&format!("{now} a1 normal")), "");
            assert_eq!(rig.tree.abandoned(), limit - 1);
            assert_eq!(rig.step(&format!("{} wake", now + 50)), format!("xa{last} Hang, +a{}", last + 1));
            last += 1;
        }
        assert_eq!(rig.step(&format!("{} wake", 50 * last)), format!("xa{last} Hang, -b1"));
        assert_eq!(rig.step(&format!("{} b normal", 50 * last)), "abandoned a");
    };
    check(None, ABANDONED_MAX);
    check(Some(0), 0);
    check(Some(1), 1);
}

#[test]
fn a_group_may_stop_its_children_together() {
    let root = Group { stops_together: true, ..abc(Strategy::OneForAll) };
    assert_eq!(root.shutdown_max(), ms(100));
    check(
        root,
        "0 start -> +a1, +b1, +c1
         10 b panic -> -c1, -a1
         11 a normal ->
         12 c normal -> +a2, +b2, +c2
         20 shutdown -> -c2, -b2, -a2
         21 a normal ->
         120 wake -> xb2 StopTimeout, xc2 StopTimeout, shutdown",
    );
}

#[test]
fn a_group_may_come_back_before_it_stops() {
    let slow = Backoff { base: ms(60_000), cap: ms(60_000), ..NOW };
    let of = |name| Worker { backoff: slow, ..worker(name) }.into();
    let core = Group { comes_back: true, ..group(Strategy::OneForAll, vec![of("a"), of("b")]) };
    let root = group(Strategy::OneForOne, vec![core.into(), worker("c").into()]);
    assert_eq!(root.shutdown_max(), ms(500));
    check(
        root.clone(),
        "0 start -> +a1, +b1, +c1
         10 a panic -> -b1
         11 b normal ->
         20 shutdown -> -c1
         21 c normal -> +a2, +b2, -b2
         22 b normal -> -a2
         23 a normal -> shutdown",
    );
    // As soon as everybody is down; and again, where it fails as it stops.
    check(
        root,
        "0 start -> +a1, +b1, +c1
         10 a panic -> -b1
         20 shutdown -> -c1
         21 c normal ->
         30 b normal -> +a2, +b2, -b2
         31 a panic ->
         32 b normal -> +a3, +b3, -b3
         33 b normal -> -a3
         34 a normal -> shutdown",
    );
    // Who waits alone comes back alone.
    let core = Group { comes_back: true, ..group(Strategy::OneForOne, vec![of("a"), of("b")]) };
    check(
        group(Strategy::OneForOne, vec![core.into()]),
        "0 start -> +a1, +b1
         10 a panic ->
         20 shutdown -> +a2, -b1
         21 b normal -> -a2
         22 a normal -> shutdown",
    );
}

#[test]
fn a_group_that_fails_as_it_stops_is_started_over_a_few_times() {
    let stops = |exits: &[(usize, Exit)], intensity: Option<Intensity>| {
        let children = vec![worker("a").into(), worker("b").into()];
        let core = Group { comes_back: true, intensity, ..group(Strategy::OneForAll, children) };
        let mut tree = Tree::new(group(Strategy::OneForOne, vec![core.into()]), 7);
        let mut actions = Vec::new();
        tree.step(ms(0), Event::Start, &mut actions);
        tree.step(ms(10), Event::Shutdown, &mut actions);
        let generation =
            |tree: &Tree, worker| tree.status(Node::Worker(WorkerId(worker))).unwrap().generation;
        for (worker, exit) in exits {
            let generation = generation(&tree, *worker);
            tree.step(
                ms(11),
                Event::Exited { worker: WorkerId(*worker), generation, exit: *exit },
                &mut actions,
            );
        }
        let culprit = tree.unfinished().map(|blame| (blame.worker.0, blame.exit));
        (tree.outcome().is_some(), generation(&tree, 0).0, culprit)
    };
    use Exit::{Error, Fatal, Hang, Normal, Panic};
    let (in_order, fails) = ([(1, Normal), (0, Normal)], [(0, Panic), (1, Normal)]);
    let times = |count: usize| [fails.repeat(count), in_order.to_vec()].concat();
    assert_eq!(stops(&in_order, None), (true, 1, None));
    assert_eq!(stops(&times(1), None), (true, 2, None), "it has worked off in the end");
    assert_eq!(stops(&times(3), None), (true, 4, None));
    assert_eq!(stops(&fails.repeat(4), None), (true, 4, Some((0, Panic))), "and not for ever");
    // Whoever fails as it stops itself counts too; not who does not end in time, or can never work.
    assert_eq!(stops(&[(1, Error), (0, Normal), (1, Normal), (0, Normal)], None), (true, 2, None));
    assert_eq!(stops(&[(1, Hang), (0, Normal)], None), (true, 1, None));
    assert_eq!(stops(&[(1, Fatal), (0, Normal)], None), (true, 1, Some((1, Fatal))));
    // No more often than it bears.
    let once = Intensity { restarts: 1, period: ms(1_000) };
    assert_eq!(stops(&times(1), Some(once)), (true, 2, None));
    assert_eq!(stops(&fails.repeat(2), Some(once)), (true, 2, Some((0, Panic))));
}
