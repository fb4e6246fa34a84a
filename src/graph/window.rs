//! What formulas ask of the past of keys, as nodes of the graph.

use std::collections::BTreeMap;

use actors::panel::Panel;
use engine::formula::derived::{Derived, Measure, Span};
use engine::formula::{Dependents, Program};

/// What the nodes of a program read directly: by node, the keys, and the questions about keys' pasts.
#[derive(Debug, Default)]
pub(super) struct Reads {
    keys: BTreeMap<usize, Vec<usize>>,
    windows: BTreeMap<usize, Vec<usize>>,
}

impl Reads {
    pub(super) fn of(program: &Program) -> Reads {
        let mut reads = Reads::default();
        for key in 0..program.key_count() {
            for node in nodes(program, program.dependents_of_key(key)) {
                reads.keys.entry(node).or_default().push(key);
            }
        }
        for window in 0..program.derived().len() {
            for node in nodes(program, program.dependents_of_derived(window)) {
                reads.windows.entry(node).or_default().push(window);
            }
        }
        reads
    }

    pub(super) fn keys(&self, node: usize) -> &[usize] {
        self.keys.get(&node).map_or(&[], Vec::as_slice)
    }

    pub(super) fn windows(&self, node: usize) -> &[usize] {
        self.windows.get(&node).map_or(&[], Vec::as_slice)
    }
}

fn nodes(program: &Program, dependents: &[Dependents]) -> Vec<usize> {
    let of_group = |dependents: &Dependents| {
        let first = program.groups().get(dependents.group as usize).map_or(0, |group| group.nodes.start);
        let mask = dependents.mask;
        (0..32).filter(move |bit| mask >> bit & 1 == 1).map(move |bit| first + bit as usize)
    };
    dependents.iter().flat_map(of_group).collect()
}

/// As a formula asks it.
pub(super) fn name(panel: &Panel, derived: &Derived) -> String {
    let key = panel.keys.get(derived.key as usize).map_or("", |key| key.name.as_str());
    let function = match derived.measure {
        Measure::Average => "avg",
        Measure::Deviation => "stddev",
        Measure::Sum => "sum",
        Measure::Count => "count",
        Measure::Minimum => "min_over",
        Measure::Maximum => "max_over",
        Measure::Median => "median",
        Measure::Percentile(_) => "percentile",
        Measure::Delta => "delta",
        Measure::Rate => "rate",
        Measure::RateOfChange => "rate_of_change",
        Measure::PercentChange => "percent_change",
        Measure::Age => "age",
        Measure::Stale => "stale",
    };
    let mut arguments = vec![key.to_owned()];
    if let Measure::Percentile(percent) = derived.measure {
        arguments.push(percent.number().to_string());
    }
    arguments.extend(derived.span.map(span));
    format!("{function}({})", arguments.join(", "))
}

/// `5m`, `1500ms`, `120ticks`.
fn span(span: Span) -> String {
    const UNITS: [(u64, &str); 5] =
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    match span {
        Span::Ticks(ticks) => format!("{ticks}ticks"),
        Span::Milliseconds(millis) => {
            let (size, unit) = UNITS.into_iter().find(|(size, _)| millis % size == 0).unwrap_or((1, "ms"));
            format!("{}{unit}", millis / size)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_in_their_largest_unit() {
        for (millis, expected) in [
            (1, "1ms"),
            (1_500, "1500ms"),
            (90_000, "90s"),
            (300_000, "5m"),
            (3_600_000, "1h"),
            (604_800_000, "7d"),
        ] {
            assert_eq!(span(Span::Milliseconds(millis)), expected);
        }
        assert_eq!(span(Span::Ticks(120)), "120ticks");
    }
}
