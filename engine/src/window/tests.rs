use std::format;
use std::string::String;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::formula::derived::{Percent, Span};

const BASE_MS: i64 = 1_800_000_000_000;

fn percentile(p: f64) -> Measure {
    Measure::Percentile(Percent::new(p).unwrap())
}

fn measures() -> [Measure; 12] {
    use Measure::*;
    let some = [percentile(0.0), percentile(90.0), percentile(100.0)];
    let [none, most, all] = some;
    [Average, Deviation, Sum, Count, Minimum, Maximum, Median, none, most, all, RateOfChange, PercentChange]
}

/// All measures over each of these spans of key 0.
fn questions(spans: &[Span]) -> Vec<Derived> {
    let over = |span: &Span| measures().map(|measure| Derived { measure, key: 0, span: Some(*span) });
    spans.iter().flat_map(over).collect()
}

/// What happens to a key.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// So many ticks pass.
    Pass(u64),
    /// The clock is set by so many milliseconds.
    Set(i64),
    /// A sample comes, stamped so many milliseconds from now.
    Sample(i64, f64),
}

/// A window that computes everything anew.
struct Naive {
    span: Span,
    floor_ms: i64,
    now_ms: i64,
    points: Vec<(i64, f64)>,
}

impl Naive {
    fn advance(&mut self, tick: u64, now_ms: i64) {
        let is_back = now_ms < core::mem::replace(&mut self.now_ms, now_ms);
        let span_ms = match self.span {
            Span::Milliseconds(ms) => ms as i64,
            Span::Ticks(ticks) => {
                let at = |tick: i64| (tick * 1_000).div_euclid(60);
                at(tick as i64) - at(tick as i64 - ticks as i64)
            }
        };
        let floor_ms = now_ms - span_ms;
        self.floor_ms = if is_back { floor_ms } else { self.floor_ms.max(floor_ms) };
    }

    fn push(&mut self, ms: i64, number: f64) {
        let at = self.points.partition_point(|point| point.0 <= ms);
        self.points.insert(at, (ms, number));
    }

    fn held(&self) -> Vec<(i64, f64)> {
        let is_in = |point: &&(i64, f64)| point.0 > self.floor_ms && point.0 <= self.now_ms;
        self.points.iter().filter(is_in).copied().collect()
    }

    fn value(&self, measure: Measure) -> Option<f64> {
        let held = self.held();
        let mut sorted: Vec<f64> = held.iter().map(|(_, number)| *number).collect();
        let (count, sum) = (held.len(), sorted.iter().sum::<f64>());
        sorted.sort_by(f64::total_cmp);
        let (first, last) = (held.first().copied(), held.last().copied());
        let span = first.zip(last).filter(|_| count > 1);
        Some(match measure {
            Measure::Average if count > 0 => sum / count as f64,
            Measure::Deviation if count < 2 => 0.0,
            Measure::Deviation => {
                let mean = sum / count as f64;
                let spread = sorted.iter().map(|number| (number - mean) * (number - mean));
                libm::sqrt(spread.sum::<f64>() / count as f64)
            }
            Measure::Sum => sum,
            Measure::Count => count as f64,
            Measure::Minimum => *sorted.first()?,
            Measure::Maximum => *sorted.last()?,
            Measure::Median if count > 0 => (sorted[(count - 1) / 2] + sorted[count / 2]) / 2.0,
            Measure::Percentile(p) if count > 0 => {
                let rank = (1..=count).find(|rank| *rank as f64 * 100.0 >= p.number() * count as f64);
                sorted[rank.unwrap_or(count) - 1]
            }
            Measure::RateOfChange => span
                .filter(|(a, b)| a.0 != b.0)
                .map_or(0.0, |(a, b)| (b.1 - a.1) / ((b.0 - a.0) as f64 / 1_000.0)),
            Measure::PercentChange => {
                span.filter(|(a, _)| a.1 != 0.0).map_or(0.0, |(a, b)| (b.1 - a.1) / a.1 * 100.0)
            }
            _ => return None,
        })
    }
}

/// The deviation of numbers of nearly the same size: what they differ by is exact.
fn two_passes(held: &[(i64, f64)]) -> f64 {
    let Some((_, first)) = held.first() else { return 0.0 };
    let less: Vec<f64> = held.iter().map(|(_, number)| number - first).collect();
    let mean = less.iter().sum::<f64>() / less.len() as f64;
    let spread: f64 = less.iter().map(|less| (less - mean) * (less - mean)).sum();
    libm::sqrt(spread / less.len() as f64)
}

fn near(one: Option<f64>, other: Option<f64>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => (one - other).abs() <= 1e-9 * one.abs().max(other.abs()).max(1e-3),
        (None, None) => true,
        _ => false,
    }
}

fn bits(windows: &Windows, count: usize) -> Vec<Option<u64>> {
    (0..count).map(|index| windows.value(index).map(f64::to_bits)).collect()
}

/// Goes through `steps` with windows and naive ones side by side. Whatever `copies` the windows have on the
/// way by what they remember must go on in step with them.
fn walk(spans: &[Span], limits: Limits, steps: &[Step], mut compare: impl FnMut(usize, &Windows, &[Naive])) {
    let asked = questions(spans);
    let new = || Windows::limited(&asked, &[], Fps::default(), limits);
    let (mut windows, mut copy) = (new(), new());
    let naive = |span: &Span| Naive { span: *span, floor_ms: i64::MIN, now_ms: 0, points: Vec::new() };
    let mut naives: Vec<_> = spans.iter().map(naive).collect();
    let (mut tick, mut base_ms) = (0, BASE_MS);
    for (number, step) in steps.iter().enumerate() {
        let now_ms = base_ms + Fps::default().millis_at(Tick(tick)) as i64;
        match step {
            Step::Pass(ticks) => tick += ticks,
            Step::Set(by) => base_ms += by,
            Step::Sample(ms, value) => {
                naives.iter_mut().for_each(|naive| naive.push(now_ms + ms, *value));
                for windows in [&mut windows, &mut copy] {
                    windows.push(0, now_ms + ms, &Value::Number(*value));
                }
            }
        }
        let now_ms = base_ms + Fps::default().millis_at(Tick(tick)) as i64;
        if naives.iter().any(|naive| now_ms < naive.now_ms) {
            // What no window holds any more is gone for good.
            let gone_ms = naives.iter().map(|naive| naive.floor_ms).min().unwrap_or(i64::MIN);
            naives.iter_mut().for_each(|naive| naive.points.retain(|point| point.0 > gone_ms));
        }
        naives.iter_mut().for_each(|naive| naive.advance(tick, now_ms));
        for windows in [&mut windows, &mut copy] {
            windows.advance(Tick(tick), now_ms);
            windows.settle();
        }
        assert_eq!(bits(&windows, asked.len()), bits(&copy, asked.len()), "step {number}");
        if number % 37 == 36 {
            copy = new();
            copy.restore(&windows.memory());
        }
        compare(number, &windows, &naives);
    }
}

fn step(number: impl Strategy<Value = f64>) -> impl Strategy<Value = Step> {
    let stamp = prop_oneof![6 => Just(0_i64), 2 => -3_000_i64..0, 1 => 0_i64..3_000];
    prop_oneof![
        8 => (stamp, number).prop_map(|(ms, number)| Step::Sample(ms, number)),
        4 => (1_u64..40).prop_map(Step::Pass),
        1 => (100_u64..600).prop_map(Step::Pass),
        1 => (-4_000_i64..4_000).prop_map(Step::Set),
    ]
}

fn spans() -> [Span; 4] {
    [Span::Milliseconds(1), Span::Milliseconds(1_500), Span::Ticks(7), Span::Milliseconds(20_000)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn windows_are_what_a_naive_one_computes(
        steps in prop::collection::vec(step((-80_i32..80).prop_map(|n| f64::from(n) / 8.0)), 1..400),
    ) {
        walk(&spans(), Limits::default(), &steps, |number, windows, naives| {
            for (at, (naive, measure)) in
                naives.iter().flat_map(|naive| measures().map(|measure| (naive, measure))).enumerate()
            {
                let (found, expected) = (windows.value(at), naive.value(measure));
                let is_equal = match measure {
                    Measure::Deviation => near(found, expected),
                    // Sums of eighths are exact, also the naive way.
                    _ => found == expected,
                };
                let span = naive.span;
                assert!(is_equal, "step {number}: {measure:?} over {span:?} is {found:?}, not {expected:?}");
            }
        });
    }

    #[test]
    fn numbers_of_any_size_have_an_order_and_exact_sums(
        steps in prop::collection::vec(step(prop_oneof![
            any::<f64>().prop_filter("finite", |number| number.is_finite()),
            prop::sample::select(std::vec![f64::MAX, -f64::MAX, 5e-324, 1.0, 0.0, -0.0, 1e16]),
        ]), 1..200),
    ) {
        walk(&spans(), Limits::default(), &steps, |_, windows, naives| {
            for (at, naive) in naives.iter().enumerate() {
                let (at, held) = (at * measures().len(), naive.held());
                let value = |measure: usize| windows.value(at + measure);
                assert_eq!(value(3), Some(held.len() as f64));
                for measure in [4, 5, 7, 8, 9] {
                    assert_eq!(value(measure), naive.value(measures()[measure]));
                }
                // Summed anew, the other way round, it is the same to the bit.
                let mut sum = exact::Exact::default();
                held.iter().rev().for_each(|(_, number)| sum.add(*number, false));
                let (number, doubled) = sum.rounded();
                let expected = libm::scalbn(number / held.len() as f64, doubled + exact::UNIT) + 0.0;
                assert_eq!(value(0), (!held.is_empty()).then_some(expected));
                if let (Some(mean), Some(least), Some(most)) = (value(0), value(4), value(5)) {
                    let slack = |number: f64| number.abs() * f64::EPSILON + 5e-324;
                    let between = least - slack(least) <= mean && mean <= most + slack(most);
                    assert!(between, "{mean} is not between {least} and {most}");
                }
                assert!(value(1).is_some_and(|deviation| deviation >= 0.0));
            }
        });
    }

    #[test]
    fn panes_hold_what_a_window_holds_and_at_most_a_pane_more(
        steps in prop::collection::vec(step((-80_i32..80).prop_map(|n| f64::from(n) / 8.0)), 1..600),
    ) {
        let limits = Limits { samples: 16, panes: 40 };
        let spans = [Span::Milliseconds(1_500), Span::Milliseconds(20_000)];
        let forward = steps.iter().filter(|step| !matches!(step, Step::Set(by) if *by < 0));
        // What is stamped ahead of the clock is bounded by the same limit: here it waits for nobody.
        let forward: Vec<_> = forward.map(|step| match step {
            Step::Sample(ms, number) => Step::Sample((*ms).min(0), *number),
            step => *step,
        }).collect();
        walk(&spans, limits, &forward, |number, windows, naives| {
            for (at, naive) in naives.iter().enumerate() {
                let width_ms = pane_ms(naive.span, limits, Fps::default());
                let at = at * measures().len();
                let value = |measure: usize| windows.value(at + measure);
                let held = naive.held();
                let wider = naive.points.iter().filter(|(ms, _)| *ms > naive.floor_ms - width_ms);
                let (count, most) = (value(3).unwrap_or(0.0), wider.clone().count() as f64);
                assert!(count >= held.len() as f64 && count <= most, "step {number}: {count} samples");
                let least = held.iter().map(|(_, number)| *number).fold(f64::INFINITY, f64::min);
                let wider_least = wider.map(|(_, number)| *number).fold(f64::INFINITY, f64::min);
                let found = value(4).unwrap_or(f64::INFINITY);
                assert!(found <= least && found >= wider_least, "step {number}: the least is {found}");
                assert_eq!((value(4), value(5)), (value(7), value(9)), "percentiles 0 and 100");
                if count == held.len() as f64 {
                    for measure in [0, 1, 2] {
                        let expected = naive.value(measures()[measure]);
                        assert!(near(value(measure), expected), "step {number}: {:?}", value(measure));
                    }
                }
            }
            assert!(windows.samples() <= 16);
        });
    }

    #[test]
    fn panes_keep_small_deviations_at_large_means(
        steps in prop::collection::vec(step((-4_000_i32..4_000).prop_map(|n| 1e9 + f64::from(n) / 4_194_304.0)), 1..400),
    ) {
        let limits = Limits { samples: 8, panes: 40 };
        let steps: Vec<_> = steps.into_iter().filter_map(|step| match step {
            Step::Set(_) => None,
            Step::Sample(ms, number) => Some(Step::Sample(ms.min(0), number)),
            step => Some(step),
        }).collect();
        walk(&[Span::Milliseconds(20_000)], limits, &steps, |number, windows, naives| {
            let held = naives[0].held();
            if windows.value(3) != Some(held.len() as f64) {
                return;
            }
            let expected = two_passes(&held);
            let found = windows.value(1).unwrap_or(f64::NAN);
            assert!((found - expected).abs() <= 1e-12 * expected, "step {number}: {found}, not {expected}");
        });
    }

    #[test]
    fn silence_is_counted_in_ticks(gaps in prop::collection::vec(0_u64..9, 1..40)) {
        let asked = [Measure::Age, Measure::Stale].map(|measure| Derived { measure, key: 0, span: None });
        let facts = KeyFacts { source: Some(SourceId(2)), stale_after: Some(5) };
        let mut windows = Windows::new(&asked, &[facts], Fps::default());
        let (mut tick, mut newest) = (0, None::<u64>);
        for gap in gaps {
            for _ in 0..gap {
                tick += 1;
                windows.advance(Tick(tick), 0);
                windows.settle();
                let age = newest.map(|newest| (tick - newest) as f64 / 60.0);
                let is_stale = tick - newest.unwrap_or(0) > 5;
                prop_assert_eq!(windows.value(0), age);
                prop_assert_eq!(windows.value(1), Some(f64::from(u8::from(is_stale))));
            }
            windows.push(0, 0, &Value::from("texts are signs of life too"));
            newest = Some(tick);
        }
        windows.set_state(SourceId(1), SourceState::Failed);
        windows.push(0, 0, &Value::Number(1.0));
        windows.settle();
        prop_assert_eq!(windows.value(1), Some(0.0));
        windows.set_state(SourceId(2), SourceState::Retrying);
        windows.settle();
        prop_assert_eq!(windows.value(1), Some(1.0));
    }
}

/// One answer over these samples, `[age in seconds, number]` each, as they come.
fn answer(measure: Measure, span: Option<Span>, samples: &[(f64, f64)]) -> Option<f64> {
    let mut windows = Windows::new(&[Derived { measure, key: 0, span }], &[], Fps::default());
    windows.advance(Tick(0), BASE_MS);
    for (age, number) in samples {
        windows.fill(0, BASE_MS - (age * 1_000.0) as i64, *number);
    }
    windows.settle();
    windows.value(0)
}

#[test]
fn what_each_gives_of_none_one_and_two() {
    let two: &[(f64, f64)] = &[(5.0, 4.0), (3.0, 6.0)];
    let check = |measure, expected: [Option<f64>; 3]| {
        let span = Some(Span::Milliseconds(7_200_000));
        let found = [&two[..0], &two[..1], two].map(|samples| answer(measure, span, samples));
        assert_eq!(found, expected, "{measure:?}");
    };
    let some = |numbers: [f64; 3]| numbers.map(Some);
    check(Measure::Average, [None, Some(4.0), Some(5.0)]);
    check(Measure::Deviation, some([0.0, 0.0, 1.0]));
    check(Measure::Sum, some([0.0, 4.0, 10.0]));
    check(Measure::Count, some([0.0, 1.0, 2.0]));
    check(Measure::Minimum, [None, Some(4.0), Some(4.0)]);
    check(Measure::Maximum, [None, Some(4.0), Some(6.0)]);
    check(Measure::Median, [None, Some(4.0), Some(5.0)]);
    check(percentile(50.0), [None, Some(4.0), Some(4.0)]);
    check(percentile(51.0), [None, Some(4.0), Some(6.0)]);
    check(Measure::Delta, some([0.0, 0.0, 2.0]));
    check(Measure::Rate, some([0.0, 0.0, 1.0]));
    check(Measure::RateOfChange, some([0.0, 0.0, 1.0]));
    check(Measure::PercentChange, some([0.0, 0.0, 50.0]));
}

#[test]
fn edges_and_special_cases() {
    let ms = |ms| Some(Span::Milliseconds(ms));
    let count = |span, samples: &[(f64, f64)]| answer(Measure::Count, span, samples);
    assert_eq!(count(ms(1_000), &[(1.0, 1.0), (0.999, 1.0), (0.0, 1.0), (-1.0, 1.0)]), Some(2.0));
    assert_eq!(count(ms(u64::MAX), &[(86_400.0, 1.0)]), Some(1.0));
    assert_eq!(count(Some(Span::Ticks(u64::MAX)), &[(86_400.0, 1.0)]), Some(1.0));
    // One tick: what came at this one.
    assert_eq!(count(Some(Span::Ticks(1)), &[(0.0, 1.0), (0.017, 1.0)]), Some(1.0));
    // Rates of windows under an hour are those of an hour.
    assert_eq!(answer(Measure::Rate, ms(300_000), &[(200.0, 100.0), (0.0, 110.0)]), Some(10.0));
    assert_eq!(answer(Measure::Rate, ms(7_200_000), &[(200.0, 100.0), (0.0, 110.0)]), Some(5.0));
    assert_eq!(answer(Measure::RateOfChange, ms(1_000), &[(0.0, 1.0), (0.0, 3.0)]), Some(0.0));
    assert_eq!(answer(Measure::PercentChange, ms(9_000), &[(5.0, 0.0), (0.0, 3.0)]), Some(0.0));
    assert_eq!(answer(Measure::PercentChange, ms(9_000), &[(5.0, -4.0), (0.0, -2.0)]), Some(-50.0));
    // By timestamps, not by arrival; without a window, however old.
    assert_eq!(answer(Measure::Delta, None, &[(0.0, 17.0), (90_000.0, 10.0)]), Some(7.0));
    assert_eq!(
        answer(percentile(7.0), ms(1_000_000), &core::array::from_fn::<_, 100, _>(|n| (n as f64, n as f64))),
        Some(6.0)
    );
    // A sum that is no number any more is none; its mean is one.
    assert_eq!(answer(Measure::Sum, ms(9_000), &[(1.0, 1e308), (0.0, 1e308)]), Some(f64::INFINITY));
    assert_eq!(answer(Measure::Average, ms(9_000), &[(1.0, 1e308), (0.0, 1e308)]), Some(1e308));
}

#[test]
fn nothing_is_computed_where_nothing_comes_or_goes() {
    let asked = questions(&[Span::Milliseconds(60_000)]);
    let mut windows = Windows::new(&asked, &[], Fps::default());
    windows.advance(Tick(0), BASE_MS);
    windows.push(0, BASE_MS, &Value::Number(3.0));
    assert_eq!(windows.settle().len(), asked.len(), "all of them are new");
    let updates = windows.updates();
    for tick in 1..3_600 {
        windows.advance(Tick(tick), BASE_MS + Fps::default().millis_at(Tick(tick)) as i64);
        assert!(windows.settle().is_empty(), "tick {tick}");
    }
    assert_eq!(windows.updates(), updates);
    windows.advance(Tick(3_600), BASE_MS + 60_000);
    assert!(windows.settle().contains(&0));
    assert_eq!(windows.value(0), None);
}

/// A week of 60 samples a second would be 36 million.
#[test]
fn long_windows_of_fast_keys_stay_within_their_plan() {
    let week = Span::Milliseconds(7 * 86_400_000);
    let asked = questions(&[week]);
    let limits = Limits { samples: 256, panes: 100 };
    let mut windows = Windows::limited(&asked, &[], Fps::default(), limits);
    let plan = plan::with_limits_of(&asked, limits, Fps::default());
    let (mut most, mut count) = (0, 0_u64);
    for second in 0..14 * 86_400 / 60 {
        windows.advance(Tick(second * 3_600), BASE_MS + second as i64 * 60_000);
        windows.push(0, BASE_MS + second as i64 * 60_000, &Value::Number((second % 1_440) as f64));
        most = most.max(if second % 97 == 0 { windows.bytes() } else { 0 });
        count = second;
    }
    windows.settle();
    assert!(most <= plan.bytes_max, "{most} of {}", plan.bytes_max);
    assert!(windows.samples() <= limits.samples && count > 10_000);
    let found: Vec<String> = (0..asked.len()).map(|at| format!("{:.1?}", windows.value(at))).collect();
    // A week and at most a pane of 6,049 seconds of it.
    assert!((10_080.0..=10_180.0).contains(&windows.value(3).unwrap()), "{found:?}");
    assert!((windows.value(0).unwrap() - 719.5).abs() < 10.0, "{found:?}");
    assert!((windows.value(8).unwrap() - 1_295.0).abs() < 30.0, "{found:?}");
    assert_eq!((windows.value(4), windows.value(5)), (Some(0.0), Some(1_439.0)));
}

#[test]
fn what_is_ahead_of_the_clock_waits_and_is_bounded() {
    let asked = questions(&[Span::Milliseconds(1_000)]);
    let mut windows = Windows::limited(&asked, &[], Fps::default(), Limits { samples: 4, panes: 30 });
    windows.advance(Tick(0), BASE_MS);
    for ahead in [50, 10, 40, 20, 30, 60] {
        windows.push(0, BASE_MS + ahead, &Value::Number(ahead as f64));
    }
    windows.settle();
    assert_eq!((windows.value(3), windows.dropped()), (Some(0.0), 2));
    windows.advance(Tick(2), BASE_MS + 33);
    windows.settle();
    assert_eq!((windows.value(3), windows.value(5)), (Some(3.0), Some(30.0)));
}

#[test]
fn a_clock_that_is_set_back_lets_new_samples_in() {
    let asked = questions(&[Span::Milliseconds(1_000), Span::Ticks(60)]);
    let other = measures().len();
    let mut windows = Windows::new(&asked, &[], Fps::default());
    let mut at = |tick: u64, now_ms: i64, sample: Option<f64>| {
        windows.advance(Tick(tick), now_ms);
        sample.iter().for_each(|number| windows.push(0, now_ms, &Value::Number(*number)));
        windows.settle();
        (windows.value(2), windows.value(other + 2))
    };
    assert_eq!(at(0, BASE_MS, Some(1.0)), (Some(1.0), Some(1.0)));
    assert_eq!(at(120, BASE_MS + 2_000, Some(2.0)), (Some(2.0), Some(2.0)));
    // An hour back: the sample of 2 waits, and new ones count at once and leave in time.
    let back_ms = BASE_MS - 3_600_000;
    assert_eq!(at(121, back_ms, Some(4.0)), (Some(4.0), Some(4.0)));
    assert_eq!(at(151, back_ms + 500, Some(8.0)), (Some(12.0), Some(12.0)));
    assert_eq!(at(181, back_ms + 1_000, None), (Some(8.0), Some(8.0)));
    assert_eq!(at(211, back_ms + 1_500, None), (Some(0.0), Some(0.0)));
    assert_eq!(at(331, BASE_MS + 2_000, None), (Some(2.0), Some(2.0)));
}

#[test]
fn plans_say_what_is_needed_and_share_what_there_is() {
    let hour = Derived { measure: Measure::Median, key: 0, span: Some(Span::Milliseconds(3_600_000)) };
    let one = plan(&[hour], Fps::default());
    assert_eq!(one.limits, Limits::default());
    assert_eq!((one.windows.len(), one.windows[0].pane_ms), (1, 1_000));
    let width = |span| pane_ms(span, Limits::default(), Fps::default());
    assert_eq!(width(Span::Milliseconds(7 * 86_400_000)), 84_000);
    assert_eq!(width(Span::Milliseconds(6_000)), 100);
    assert_eq!(width(Span::Ticks(60)), 16);
    assert_eq!(width(Span::Milliseconds(1)), 1);
    let all = |key: usize| measures().map(|measure| Derived { measure, key: key as u32, ..hour });
    let many: Vec<_> = (0..WINDOWS_MAX).flat_map(all).collect();
    let many = plan(&many, Fps::default());
    assert_eq!(many.windows.len(), WINDOWS_MAX);
    assert!(many.bytes_max <= BYTES_MAX, "{}", many.bytes_max);
    assert!(plan(&[], Fps::default()).windows.is_empty());
}
