//! The costliest formulas. One formula every few ticks is evaluated once more, alone and timed: it comes to
//! the same and changes nothing. The means of all formulas are kept, and the largest are exported.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::number::Gauge;
use super::table;

/// How many formulas are shown at a time.
pub const COSTLIEST: usize = 10;

/// The most formulas that have a series, ever: one that was among the costliest keeps its series, and after
/// so many no further one gets any.
pub const SERIES_MAX: usize = 50;

/// The longest label, in characters: a formula without a name is told by its text.
const LABEL_CHARACTERS: usize = 60;

/// A new measurement counts for so much of the mean.
const WEIGHT: f64 = 0.25;

/// The costliest formulas as they were last shown, for whoever wants to read them: clones are the same. It
/// outlives the [`Costs`] of a core that is started anew, so that its series do too.
#[derive(Clone, Default)]
pub struct Costliest(Arc<Mutex<Shown>>);

#[derive(Default)]
struct Shown {
    ranking: Vec<(usize, Duration)>,
    /// Seconds, by formula.
    means: Vec<f64>,
    /// By label.
    series: Vec<(String, Gauge)>,
}

impl Costliest {
    /// Each formula, by its index, and its mean; the costliest first.
    pub fn read(&self) -> Vec<(usize, Duration)> {
        self.shown().ranking.clone()
    }

    /// The means of all formulas, by index; zero for one that was not measured yet.
    pub fn means(&self) -> Vec<Duration> {
        self.shown().means.iter().map(|seconds| Duration::from_secs_f64(*seconds)).collect()
    }

    fn shown(&self) -> MutexGuard<'_, Shown> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The costs of the formulas of a run.
pub struct Costs {
    labels: Vec<String>,
    /// Seconds; 0 for what was not measured yet.
    means: Vec<f64>,
    next: usize,
    shown: Costliest,
}

impl Costs {
    /// Nothing measured yet. `labels` are the formulas' names or texts, by formula; `shown` is where the
    /// costliest can be read.
    pub fn new<'a>(labels: impl Iterator<Item = &'a str>, shown: Costliest) -> Costs {
        let labels: Vec<String> =
            labels.map(|label| label.chars().take(LABEL_CHARACTERS).collect()).collect();
        Costs { means: vec![0.0; labels.len()], labels, next: 0, shown }
    }

    /// The formula to measure next; `None` where there are none. After the last one the costliest are shown.
    pub fn turn(&mut self) -> Option<usize> {
        if self.next == self.labels.len() {
            self.show();
            self.next = 0;
        }
        (self.next < self.labels.len()).then(|| {
            self.next += 1;
            self.next - 1
        })
    }

    /// Takes a measurement of a formula.
    pub fn take(&mut self, formula: usize, took: Duration) {
        let Some(mean) = self.means.get_mut(formula) else { return };
        let seconds = took.as_secs_f64();
        *mean = if *mean == 0.0 { seconds } else { *mean + WEIGHT * (seconds - *mean) };
    }

    /// The costliest formulas, the first of them first.
    pub fn costliest(&self) -> Vec<(&str, f64)> {
        self.ranking()
            .into_iter()
            .map(|formula| (self.labels[formula].as_str(), self.means[formula]))
            .collect()
    }

    fn ranking(&self) -> Vec<usize> {
        let mut formulas: Vec<usize> = (0..self.means.len()).filter(|at| self.means[*at] > 0.0).collect();
        formulas.sort_by(|a, b| self.means[*b].total_cmp(&self.means[*a]).then(a.cmp(b)));
        // Formulas of the same name or text come to the same and are one series.
        let mut seen = std::collections::BTreeSet::new();
        formulas.retain(|formula| seen.insert(&self.labels[*formula]));
        formulas.truncate(COSTLIEST);
        formulas
    }

    fn show(&mut self) {
        let costliest = self.ranking();
        let mean = |formula: &usize| (*formula, Duration::from_secs_f64(self.means[*formula]));
        let mut shown = self.shown.shown();
        shown.ranking = costliest.iter().map(mean).collect();
        shown.means.clone_from(&self.means);
        for formula in &costliest {
            let label = &self.labels[*formula];
            let is_known = shown.series.iter().any(|(known, _)| known == label);
            if !is_known && shown.series.len() < SERIES_MAX {
                shown.series.push((label.clone(), table::FORMULA_COST.gauge(&[label])));
            }
        }
        for (known, gauge) in &shown.series {
            let found = costliest.iter().find(|formula| self.labels[**formula] == *known);
            gauge.set(found.map_or(f64::NAN, |formula| self.means[*formula]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(count: usize) -> Costs {
        let labels: Vec<String> = (0..count).map(|formula| format!("f{formula}")).collect();
        Costs::new(labels.iter().map(String::as_str), Costliest::default())
    }

    /// Measures all once, in their order.
    fn measure(costs: &mut Costs, nanos: impl Fn(usize) -> u64) {
        for expected in 0..costs.labels.len() {
            let formula = costs.turn().unwrap();
            assert_eq!(formula, expected);
            costs.take(formula, Duration::from_nanos(nanos(formula)));
        }
    }

    #[test]
    fn the_costliest_are_shown_and_the_others_not() {
        let mut costs = costs(30);
        measure(&mut costs, |formula| 100 + formula as u64);
        assert_eq!(costs.shown.shown().series.len(), 0, "not before all were measured");
        costs.turn();
        let names: Vec<&str> = costs.costliest().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["f29", "f28", "f27", "f26", "f25", "f24", "f23", "f22", "f21", "f20"]);
        assert_eq!(costs.shown.shown().series[0].1.value(), 129e-9);
        assert_eq!(costs.shown.read()[0], (29, Duration::from_nanos(129)));
        let means = costs.shown.means();
        assert_eq!((means.len(), means[7]), (30, Duration::from_nanos(107)), "of all");
        costs.take(29, Duration::ZERO);
        assert_eq!(costs.means[29], 129e-9 * 0.75, "a mean that follows");
    }

    #[test]
    fn series_are_bounded_and_those_out_of_the_race_have_no_number() {
        let mut costs = costs(40 * COSTLIEST);
        for round in 0..40 {
            // Others are the costliest in every round.
            measure(&mut costs, |formula| if formula / COSTLIEST == round { 1_000_000_000 } else { 0 });
            costs.next = costs.labels.len();
            costs.turn();
            costs.next = 0;
            assert!(costs.shown.shown().series.len() <= SERIES_MAX);
        }
        let series = &costs.shown.shown().series;
        assert_eq!(series.len(), SERIES_MAX);
        let shown = series.iter().filter(|(_, gauge)| !gauge.value().is_nan()).count();
        assert!(shown <= COSTLIEST, "{shown}");
    }

    /// As after a core is started anew: again and again others are the costliest.
    #[test]
    fn series_outlive_who_measures() {
        let labels: Vec<String> = (0..40 * COSTLIEST).map(|formula| format!("f{formula}")).collect();
        let shown = Costliest::default();
        for start in 0..40 {
            let mut costs = Costs::new(labels.iter().map(String::as_str), shown.clone());
            measure(&mut costs, |formula| if formula / COSTLIEST == start { 1_000_000_000 } else { 0 });
            costs.turn();
            let alive: Vec<_> = shown
                .shown()
                .series
                .iter()
                .filter(|(_, gauge)| !gauge.value().is_nan())
                .map(|(label, _)| label.clone())
                .collect();
            let of_this_start = labels[start * COSTLIEST..][..COSTLIEST].to_vec();
            let expected = if start < SERIES_MAX / COSTLIEST { of_this_start } else { Vec::new() };
            assert_eq!(alive, expected, "start {start}: no number of one before it stays");
        }
        assert_eq!(shown.shown().series.len(), SERIES_MAX);
    }

    #[test]
    fn labels_are_short_and_same_texts_are_one() {
        let long = "x".repeat(1_000);
        let mut costs = Costs::new([long.as_str(), long.as_str()].into_iter(), Costliest::default());
        measure(&mut costs, |formula| 5 + formula as u64);
        assert_eq!(costs.costliest(), [("x".repeat(LABEL_CHARACTERS).as_str(), 6e-9)]);
        assert_eq!(Costs::new([].into_iter(), Costliest::default()).turn(), None);
    }
}
