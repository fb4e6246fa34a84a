//! Keys' pasts.

use super::BLANK;
use crate::formula::derived::Measure;
use crate::formula::functions::{Category, Function, Parameter, Rule};
use crate::formula::typing::Type;

const WINDOW: Function = Function {
    category: Category::Time,
    example_samples: &[(40.0, 10.0), (20.0, 20.0), (10.0, 60.0), (0.0, 30.0)],
    min_arguments: 2,
    max_arguments: Some(2),
    parameters: &[Parameter::Series, Parameter::Span],
    ..BLANK
};

const KEY: Function = Function {
    category: Category::Time,
    example_samples: &[(62.0, 10.0), (2.0, 20.0)],
    parameters: &[Parameter::Key],
    ..BLANK
};

const fn window(
    name: &'static str,
    signature: &'static str,
    description: &'static str,
    (example, example_result): (&'static str, &'static str),
    measure: Measure,
) -> Function {
    let rule = Rule::Derived(measure);
    Function { name, signature, description, example, example_result, rule, ..WINDOW }
}

const fn alias(aliases: &'static [&'static str], of: Function) -> Function {
    Function { aliases, ..of }
}

pub(super) const ALL: [Function; 15] = [
    window(
        "avg",
        "avg(key, window)",
        "The mean of the samples in the window; no value where there are none",
        ("avg(v, 1m)", "30"),
        Measure::Average,
    ),
    alias(
        &["movingAvg"],
        window(
            "moving_avg",
            "moving_avg(key, window)",
            "The same as `avg`",
            ("moving_avg(v, '1m')", "30"),
            Measure::Average,
        ),
    ),
    alias(
        &["minTime"],
        window(
            "min_over",
            "min_over(key, window)",
            "The least sample in the window; no value where there are none",
            ("min_over(v, 1m)", "10"),
            Measure::Minimum,
        ),
    ),
    alias(
        &["maxTime"],
        window(
            "max_over",
            "max_over(key, window)",
            "The greatest sample in the window; no value where there are none",
            ("max_over(v, 1m)", "60"),
            Measure::Maximum,
        ),
    ),
    window(
        "sum",
        "sum(key, window)",
        "The sum of the samples in the window",
        ("sum(v, 1m)", "120"),
        Measure::Sum,
    ),
    window(
        "count",
        "count(key, window)",
        "How many samples the window has",
        ("count(v, 30s)", "3"),
        Measure::Count,
    ),
    window(
        "median",
        "median(key, window)",
        "The sample in the middle, by size; no value where there are none",
        ("median(v, 1m)", "25"),
        Measure::Median,
    ),
    Function {
        name: "percentile",
        signature: "percentile(key, p, window)",
        description: "The least sample that p percent of them do not exceed (nearest rank), p from 0 to 100; no value where there are none",
        example: "percentile(v, 75, 1m)",
        example_result: "30",
        min_arguments: 3,
        max_arguments: Some(3),
        parameters: &[Parameter::Series, Parameter::Percent, Parameter::Span],
        rule: Rule::Percentile,
        ..WINDOW
    },
    window(
        "stddev",
        "stddev(key, window)",
        "The standard deviation of the samples (of the population); 0 for fewer than two",
        ("round(stddev(v, 1m), 2)", "18.71"),
        Measure::Deviation,
    ),
    Function {
        name: "delta",
        signature: "delta(key)",
        description: "The last sample less the one before it; 0 for fewer than two",
        example: "delta(v)",
        example_result: "10",
        parameters: &[Parameter::Series],
        rule: Rule::Derived(Measure::Delta),
        ..KEY
    },
    window(
        "rate",
        "rate(key, window)",
        "The last sample less the first, per hour of the window, which counts as an hour at least; 0 for fewer than two",
        ("rate(v, 1m)", "20"),
        Measure::Rate,
    ),
    alias(
        &["rateOfChange"],
        window(
            "rate_of_change",
            "rate_of_change(key, window)",
            "The last sample less the first, per second between the two; 0 for fewer than two",
            ("rate_of_change(v, 1m)", "0.5"),
            Measure::RateOfChange,
        ),
    ),
    alias(
        &["percentChange"],
        window(
            "percent_change",
            "percent_change(key, window)",
            "The change from the first sample to the last, in percent of the first; 0 for fewer than two or a first of 0",
            ("percent_change(v, 1m)", "200"),
            Measure::PercentChange,
        ),
    ),
    Function {
        name: "age",
        signature: "age(key)",
        description: "Seconds since the key's newest sample; no value before the first",
        example: "age(v)",
        example_result: "2",
        rule: Rule::Derived(Measure::Age),
        ..KEY
    },
    Function {
        name: "stale",
        signature: "stale(key)",
        description: "1 while the key's source is stale, retrying, stopped or failed, or the key has been silent for longer than its `stale_after`; else 0",
        example: "stale(v)",
        example_result: "0",
        result: Type::Truth,
        rule: Rule::Derived(Measure::Stale),
        ..KEY
    },
];
