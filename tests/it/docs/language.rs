//! Formulas and templates: every example of the manual, and the table of functions.

use std::collections::BTreeMap;
use std::fmt::Write;

use actors::expression::trial::Trial;
use engine::formula::functions::{Category, FUNCTIONS};
use engine::formula::{FormulaId, Results};
use engine::template;
use engine::value::Value;

use super::{Page, Variables, cells, evaluate, shown};

/// Lines of `formula # = result` or `formula # error: message`. First lines of `# name = value, …` give the
/// block's variables, and of `# name: number @ age, …` what a key held.
#[test]
fn formulas_give_what_they_say() {
    let page = Page::read("docs/formulas.md");
    let mut wrong = String::new();
    let mut checked = 0;
    for block in page.blocks_in("formula") {
        let (headers, lines): (Vec<&str>, Vec<&str>) = block.lines().partition(|line| line.starts_with("# "));
        let given = Given::read(&headers);
        for line in lines {
            let (formula, expected) = line.rsplit_once("# ").unwrap_or_else(|| panic!("no result: {line}"));
            let expected = expected.strip_prefix("= ").unwrap_or(expected);
            let trial = Trial {
                text: formula.trim_end(),
                variables: &given.variables,
                samples: &given.samples,
                ..Trial::default()
            };
            let found = shown(trial.run());
            if found != expected {
                let _ = writeln!(wrong, "{formula}\n    gives {found}\n    and not {expected}");
            }
            checked += 1;
        }
    }
    assert!(wrong.is_empty(), "docs/formulas.md:\n{wrong}");
    assert!(checked > 70);
}

/// What a block of examples begins with.
#[derive(Default)]
struct Given {
    variables: Variables,
    /// Ages in seconds and numbers.
    samples: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Given {
    fn read(headers: &[&str]) -> Given {
        let mut given = Given::default();
        for header in headers.iter().map(|line| line.trim_start_matches("# ")) {
            match header.split_once(": ").filter(|(name, _)| !name.contains(" = ")) {
                Some((key, samples)) => {
                    let samples = samples.split(", ").map(sample).collect();
                    given.samples.insert(key.into(), samples);
                }
                None => given.variables.extend(header.split(", ").map(variable)),
            }
        }
        given
    }
}

/// `number @ age s`
fn sample(text: &str) -> (f64, f64) {
    let (number, age) = text.split_once(" @ ").unwrap_or_else(|| panic!("no sample: {text}"));
    (age.trim_end_matches('s').parse().unwrap(), number.parse().unwrap())
}

fn variable(text: &str) -> (String, Option<Value>) {
    let (name, value) = text.split_once(" = ").unwrap_or_else(|| panic!("no variable: {text}"));
    (name.trim_matches('`').into(), evaluate(value, &Variables::new()).unwrap())
}

#[test]
fn the_table_of_functions_is_the_registry() {
    let page = Page::read("docs/formulas.md");
    let mut table = String::new();
    for category in Category::ALL {
        let _ = write!(
            table,
            "\n### {}\n\n| function | gives | example | result |\n|---|---|---|---|\n",
            category.name()
        );
        for function in FUNCTIONS.iter().filter(|function| function.category == category) {
            let (signature, description) = (function.signature, function.description.replace('|', "\\|"));
            let (example, result) = (function.example, function.example_result);
            let _ = writeln!(table, "| `{signature}` | {description} | `{example}` | {result} |");
        }
    }
    assert_eq!(table.matches("\n| `").count(), FUNCTIONS.len(), "every category has its table");
    page.check_region("functions", &format!("{table}\n"));
}

/// Rows of `template`, `x`, `shown`.
#[test]
fn templates_show_what_they_say() {
    let page = Page::read("docs/templates.md");
    let mut wrong = String::new();
    let mut checked = 0;
    let tables = page.text.split("| template | x | shown |\n|---|---|---|\n").skip(1);
    for row in tables.flat_map(|table| table.lines().take_while(|line| line.starts_with('|'))) {
        let [template, x, shown] = cells(row).unwrap()[..] else { panic!("no row: {row}") };
        let found = render(template, x);
        if found != shown {
            let _ = writeln!(wrong, "{row}\n    shows {found}");
        }
        checked += 1;
    }
    assert!(wrong.is_empty(), "docs/templates.md:\n{wrong}");
    assert!(checked > 40);
}

fn render(template: &str, x: &str) -> String {
    let variables = vec![("x".to_string(), evaluate(x, &Variables::new()).unwrap())];
    let (draft, problems) = template::parse(template);
    assert!(problems.is_empty(), "{template}: {problems:?}");
    let mut results = Results::new(draft.formulas().count());
    for (id, (formula, _)) in (0..).zip(draft.formulas()) {
        results.set(FormulaId(id), evaluate(formula, &variables).unwrap());
    }
    let mut ids = (0..).map(FormulaId);
    let template = draft.resolve(|_, _| ids.next().unwrap());
    let mut shown = String::new();
    template.render(&results, &mut shown);
    shown
}
