//! A template with four places, rendered.

use std::hint::black_box;

use actors::expression::chunk::Evaluator;
use engine::formula::{Entry, Environment, FormulaId, Key, Kind, Results, compile};
use engine::template;
use engine::tick::{Fps, Tick};
use engine::value::Value;

use crate::table::{Row, least};

/// Renderings in a round.
const MANY: usize = 1_000;

pub fn all() -> Vec<Row> {
    let (draft, problems) = template::parse("CPU {cpu:.0f}% {if(hot, '!', ' ')} {mem:.1f} of {total:.1f} GB");
    assert!(problems.is_empty());
    let mut texts = Vec::new();
    let template = draft.resolve(|text, _| {
        texts.push(text.to_string());
        FormulaId(texts.len() as u32 - 1)
    });
    let keys = ["cpu", "hot", "mem", "total"];
    let keys = keys.map(|name| Key { name: format!("s.{name}"), kind: Kind::Number });
    let entries: Vec<_> = texts.iter().map(|text| Entry { name: None, text }).collect();
    let compiled = compile(&entries, &Environment::of(&keys));
    assert!(compiled.problems.is_empty());
    let mut evaluator = Evaluator::new(compiled.program, Fps::default()).expect("it compiles");
    evaluator.compile_native().expect("there is memory");
    let mut results = Results::new(entries.len());
    let mut text = String::new();
    let mut tick = 0;
    let mut whole = || {
        let values = [41.7 + (tick % 7) as f64, f64::from(tick % 2 == 0), 3.14 + (tick % 3) as f64, 8.0];
        for (key, value) in values.into_iter().enumerate() {
            evaluator.set_key(key, Some(&Value::Number(value)));
        }
        evaluator.run(Tick(tick)).expect("it runs");
        tick += 1;
        let changed: Vec<_> = evaluator.changed().collect();
        changed.into_iter().for_each(|id| results.set(id, evaluator.value(id)));
        text.clear();
        template.render(&results, &mut text);
        text.clone()
    };
    assert_eq!(whole(), "CPU 42% ! 3.1 of 8.0 GB");
    let ns = least(MANY, |_| (0..MANY).for_each(|_| drop(black_box(whole()))));
    let row = |name: &str, ns| Row { what: "template".into(), name: name.into(), count: 1, ns };
    let rendered = least(MANY, |_| {
        (0..MANY).for_each(|_| {
            text.clear();
            template.render(black_box(&results), &mut text);
        });
    });
    vec![row("tinydisplay, keys set, evaluated, rendered", ns), row("tinydisplay, rendered", rendered)]
}
