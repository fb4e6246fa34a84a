//! The manual of scripts: what its examples return, and what it and the definitions for editors say of the
//! functions that scripts are given.

use std::fs;
use std::rc::Rc;

use actors::expression::script::call::Call;
use actors::expression::script::{File, GIVEN, Library, Limits, Script, View};
use engine::tick::Fps;

use super::{Page, root};

#[test]
fn every_script_in_the_manual_is_sound_and_returns_what_it_says() {
    let page = Page::read("docs/scripts.md");
    let blocks = page.blocks_in("lua");
    assert!(blocks.len() >= 3);
    let mut results = 0;
    for text in blocks {
        let file = File { name: "manual.lua".into(), text: text.into() };
        let view = Rc::new(View::new(["script.alarms", "script.minutes"], [], Fps::default()));
        let (_, problems) = Library::check(vec![file], Limits::default(), &view, |_| false);
        assert_eq!(problems, [], "{text}");
        let mut script = Script::load("manual.lua", text.as_bytes(), Limits::default(), view).unwrap();
        for (call, expected) in text.lines().filter_map(|line| line.strip_prefix("-- ")?.split_once(" --> "))
        {
            let call = Call::parse(call).unwrap();
            let result = script.call_shown(&call.name, &call.arguments);
            assert_eq!(result.as_deref(), Ok(expected), "{call:?}");
            results += 1;
        }
    }
    assert!(results >= 4, "{results}");
}

#[test]
fn the_manual_and_the_definitions_have_every_function() {
    let page = Page::read("docs/scripts.md");
    let definitions = fs::read_to_string(root().join("scripts/tinydisplay.d.luau")).unwrap();
    for given in GIVEN {
        let declared = format!("--- {}", given.description.replace(" For handlers alone.", ""));
        let signature = format!("declare function {}{}\n", given.name, given.signature);
        assert!(definitions.contains(&signature), "{signature}");
        assert!(definitions.contains(declared.trim_end_matches('.')), "{declared}");
        assert!(
            page.text.contains(&format!("\n| `{}(", given.name)),
            "{} is not in docs/scripts.md",
            given.name
        );
    }
    let declared = definitions.lines().filter_map(|line| line.strip_prefix("declare function "));
    for line in declared {
        let name = line.split('(').next().unwrap();
        assert!(GIVEN.iter().any(|given| given.name == name), "{name} is declared and not given");
    }
}

#[test]
fn the_manual_knows_the_limits() {
    use actors::expression::script::{
        BUDGET_MAX, OFFENCES_MAX, SOURCE_BYTES_MAX, TICK_BUDGET_MAX, library, outline, state,
    };
    let page = Page::read("docs/scripts.md");
    for (what, limit) in [
        ("`[scripts] budget` | ", "200,000 | 2,000,000 at most".to_string()),
        ("`[scripts] tick_budget` | ", "1,000,000 | 20,000,000 at most".into()),
        ("`[scripts] memory` | ", "16,777,216".into()),
        ("text of a script | ", format!("{} KiB", SOURCE_BYTES_MAX / 1024)),
        (
            "scripts of a panel | ",
            format!("{} | with {} functions", library::FILES_MAX, library::FUNCTIONS_MAX),
        ),
        ("nesting | ", outline::NESTING_MAX.to_string()),
        ("in a row | ", outline::CHAIN_MAX.to_string()),
        ("`state` | ", format!("{} KiB | {} tables", state::STATE_BYTES_MAX / 1024, state::STATE_DEPTH_MAX)),
    ] {
        assert!(page.text.contains(&format!("{what}{limit}")), "{what}{limit}");
    }
    let Limits { budget, tick_budget, memory, .. } = Limits::default();
    assert_eq!((budget, tick_budget, memory), (200_000, 1_000_000, 16_777_216));
    assert_eq!((BUDGET_MAX, TICK_BUDGET_MAX), (2_000_000, 20_000_000));
    assert_eq!(OFFENCES_MAX, 3);
}
