//! Formulas and templates: every example of the manual, and the table of functions.

use std::fmt::Write;

use engine::formula::functions::{Category, FUNCTIONS};
use engine::formula::{FormulaId, Results};
use engine::template;
use engine::value::Value;

use super::{Page, Variables, cells, evaluate, result};

/// Lines of `formula # = result` or `formula # error: message`. First lines of `# name = value, …` give the
/// block's variables, and of `# name: number @ age, …` the samples of a key. What windows make of samples is
/// tested where windows are; here such formulas are to be right, or wrong as the page says.
#[test]
fn formulas_give_what_they_say() {
    let page = Page::read("docs/formulas.md");
    let mut wrong = String::new();
    let mut checked = 0;
    for block in page.blocks_in("formula") {
        let (headers, lines): (Vec<&str>, Vec<&str>) = block.lines().partition(|line| line.starts_with("# "));
        let (variables, has_samples) = given(&headers);
        for line in lines {
            let (formula, expected) = line.rsplit_once("# ").unwrap_or_else(|| panic!("no result: {line}"));
            let expected = expected.strip_prefix("= ").unwrap_or(expected);
            let found = result(formula.trim_end(), &variables);
            let is_error = |text: &str| text.starts_with("error: ");
            let untold = has_samples && !is_error(expected) && !is_error(&found);
            if found != expected && !untold {
                let _ = writeln!(wrong, "{formula}\n    gives {found}\n    and not {expected}");
            }
            checked += 1;
        }
    }
    assert!(wrong.is_empty(), "docs/formulas.md:\n{wrong}");
    assert!(checked > 70);
}

/// What a block of examples begins with, and whether there are samples in it; their keys hold the last one.
fn given(headers: &[&str]) -> (Variables, bool) {
    let mut variables = Variables::new();
    let mut has_samples = false;
    for header in headers.iter().map(|line| line.trim_start_matches("# ")) {
        match header.split_once(": ").filter(|(name, _)| !name.contains(" = ")) {
            Some((key, samples)) => {
                let (_, last) = samples.rsplit_once(", ").unwrap_or_else(|| panic!("no samples: {header}"));
                let (number, _) = last.split_once(" @ ").unwrap_or_else(|| panic!("no sample: {header}"));
                variables.push((key.into(), evaluate(number, &Variables::new()).unwrap()));
                has_samples = true;
            }
            None => variables.extend(header.split(", ").map(variable)),
        }
    }
    (variables, has_samples)
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
