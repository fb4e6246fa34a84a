use std::path::Path;

use actors::expression::script::calls::Called;
use actors::handle::Reported;
use actors::panel::Panel;
use engine::coordination::{Trigger, When};
use engine::formula::{self, Entry, Environment, FormulaId, compile};
use engine::sample::SourceState;
use engine::tick::{Fps, Tick};
use engine::window::{Memory, Windows};

use super::*;

fn panel(text: &str) -> Panel {
    let config = crate::config::parse("panel.toml", text, Path::new(""));
    config.map_err(|report| report.render(false)).unwrap().panel
}

const PANEL: &str = r#"
    version = 1
    [source.room]
    kind = "generator"
    shape = "sine"
    [source.spare]
    kind = "push"
    [keys]
    "spare.left" = {}
    "spare.right" = {}
    [value]
    half = "room.value / 2"
    quarter = "half / 2"
    also = "room.value / 2"
    recent = "avg(room.value, 5m) - percentile(room.value, 95, 1h) + room.value"
    [template.unit]
    text = "{also:.1f} °C"
    [template.row]
    text = "{quarter} {include(unit)}"
    [animation.blink]
    widget = "lamp"
    duration = "1s"
    from = { opacity = 0 }
    [[trigger]]
    name = "hot"
    when = "quarter > 1 and room.value > 2"
    start = ["blink"]
    [[trigger]]
    name = "bell"
    signal = "ring"
    start = ["blink"]
    stop = ["blink"]
    [page.main]
    widgets = [
        { kind = "text", id = "a", at = [0, 0], size = [9, 9], text = "\"{half}\" {room.value} <&>" },
        { kind = "text", id = "b", at = [0, 0], size = [9, 9], text = "{include(row)}{quarter}" },
        { kind = "shape", id = "lamp", at = [0, 0], size = [9, 9], figure = "ellipse", fill = "red" },
    ]
"#;

#[test]
fn what_depends_on_what() {
    let graph = Graph::new(&panel(PANEL), Live::default());
    let edges: Vec<_> = graph.edges.iter().map(|edge| format!("{} > {}", edge.from, edge.to)).collect();
    assert_eq!(
        edges,
        [
            "source:room > key:room.value",
            "source:spare > key:spare.left",
            "source:spare > key:spare.right",
            "key:room.value > window:avg(room.value, 5m)",
            "key:room.value > window:percentile(room.value, 95, 1h)",
            "key:room.value > value:half",
            "value:half > value:quarter",
            "key:room.value > value:also",
            "key:room.value > value:recent",
            "window:avg(room.value, 5m) > value:recent",
            "window:percentile(room.value, 95, 1h) > value:recent",
            "value:half > template:unit",
            "value:quarter > template:row",
            "template:unit > template:row",
            "value:half > widget:a",
            "key:room.value > widget:a",
            "value:quarter > widget:b",
            "template:row > widget:b",
            "animation:blink > widget:lamp",
            "key:room.value > trigger:hot",
            "value:quarter > trigger:hot",
            "trigger:hot > animation:blink",
            "signal:ring > trigger:bell",
            "trigger:bell > animation:blink",
        ]
    );
    for edge in &graph.edges {
        for end in [&edge.from, &edge.to] {
            assert!(graph.nodes.iter().any(|node| node.id == *end), "{end}");
        }
    }
}

const SCRIPTED: &str = r#"
    version = 1
    [source.room]
    kind = "generator"
    shape = "sine"
    [scripts]
    files = ["room.lua"]
    [keys]
    "script.count" = { default = 0 }
    [value]
    half = "room.value / 2"
    warm = "felt(1)"
    [animation.blink]
    widget = "a"
    duration = "1s"
    from = { opacity = 0 }
    [[trigger]]
    name = "bell"
    signal = "ring"
    start = ["blink"]
    [page.main]
    widgets = [{ kind = "text", id = "a", at = [0, 0], size = [9, 9], text = "{warm} {word()} {script.count}" }]
"#;

const ROOM: &str = "function felt(n)
    return helped() + n
end
local function helped() return get('room.value') end
--- Nothing of its own.
function word(): string return if tick() > 5 then get('half') else 'none' end
function idle() return get('half') end
function on_tick(n)
    set('count', get('script.count') + 1)
    start('blink') stop(`blink`) signal('ring') signal('else')
    set('nowhere', 1) start('nothing') get('no.key')
end";

fn scripted() -> Panel {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("room.lua"), ROOM).unwrap();
    let config = crate::config::parse("panel.toml", SCRIPTED, folder.path());
    config.map_err(|report| report.render(false)).unwrap().panel
}

/// The edges from or to scripts, keys, values and signals, as `from > to`.
fn edges(graph: &Graph) -> Vec<String> {
    graph.edges.iter().map(|edge| format!("{} > {}", edge.from, edge.to)).collect()
}

#[test]
fn scripts_are_nodes_with_what_they_read_and_do() {
    let graph = Graph::new(&scripted(), Live::default());
    assert_eq!(
        edges(&graph),
        [
            "source:room > key:room.value",
            "key:room.value > script:felt",
            "value:half > script:word",
            "value:half > script:idle",
            "script:room.lua > key:script.count",
            "key:script.count > script:room.lua",
            "script:room.lua > animation:blink",
            "script:room.lua > signal:ring",
            "script:room.lua > signal:else",
            "key:room.value > value:half",
            "script:felt > value:warm",
            "value:warm > widget:a",
            "script:word > widget:a",
            "key:script.count > widget:a",
            "animation:blink > widget:a",
            "signal:ring > trigger:bell",
            "trigger:bell > animation:blink",
        ]
    );
    let node = |id: &str| graph.nodes.iter().find(|node| node.id == id).unwrap();
    assert_eq!(node("script:felt").detail.as_deref(), Some("room.lua:1"));
    assert_eq!(node("script:word").detail.as_deref(), Some("room.lua:6"));
    assert_eq!(node("script:room.lua").detail.as_deref(), Some("on_tick"));
    assert_eq!(graph.nodes.iter().filter(|node| node.id == "signal:ring").count(), 1);
    assert!(graph.nodes.iter().all(|node| node.id != "source:script"), "the script itself sets its key");
    let drawn = graph.without_idle_keys();
    assert!(drawn.nodes.iter().all(|node| node.id != "script:idle"), "nothing calls it");
    assert!(drawn.edges.iter().all(|edge| edge.to != "script:idle"));
    for text in [graph.dot(), graph.mermaid(), graph.svg("p").unwrap(), graph.json()] {
        assert!(text.contains("room.lua:1") && text.contains("on_tick"), "{text}");
    }
    assert!(graph.dot().contains("shape=component"), "{}", graph.dot());
}

#[test]
fn what_scripts_truly_read_is_shown_of_a_panel_that_runs() {
    let panel = scripted();
    let failed = Called { error: Some("runtime: room.lua:6: no".into()), ..Called::default() };
    let called = Called { reads: [0, 1, 2].into(), steps: 41, ..Called::default() };
    let called = BTreeMap::from([(0, called), (1, failed)]);
    let graph = Graph::new(&panel, Live { called: Some(&called), ..Live::default() });
    let into = |id: &str| {
        let edges = graph.edges.iter().filter(|edge| edge.to == id);
        edges.map(|edge| edge.from.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(into("script:felt"), ["key:room.value", "key:script.count", "value:half"]);
    assert_eq!(into("script:word"), [""; 0], "it was called, and read nothing");
    assert_eq!(into("script:idle"), ["value:half"], "it was not called");
    let node = |id: &str| graph.nodes.iter().find(|node| node.id == id).unwrap();
    assert_eq!((node("script:felt").steps, node("script:idle").steps), (Some(41), None));
    assert_eq!(node("script:word").error.as_deref(), Some("runtime: room.lua:6: no"));
    assert!(graph.svg("p").unwrap().contains("41 steps") && graph.dot().contains("41 steps"));
}

/// As a panel that runs has it.
fn live() -> (Vec<Reported>, Vec<Duration>, Memory) {
    let reported = |name: &str, formula: Option<&str>, value: Option<f64>, state| Reported {
        name: name.into(),
        formula: formula.map(Into::into),
        value: value.map(Value::Number),
        error: None,
        state,
        unit: "".into(),
    };
    let mut failing = reported("quarter", Some("half / 2"), Some(0.25), SourceState::Live);
    failing.error = Some("division by zero".into());
    let values = vec![
        reported("half", Some("room.value / 2"), Some(20.85), SourceState::Stale),
        failing,
        reported("room.value", None, Some(41.7), SourceState::Stale),
    ];
    let asked = panel(PANEL).program.derived().to_vec();
    let mut windows = Windows::new(&asked, &[], Fps::default());
    windows.advance(Tick(9), 1_000_000);
    for (age_ms, number) in [(1_200_000, 3.0), (200_000, 40.0), (0, 41.7)] {
        windows.fill(0, 1_000_000 - age_ms, number);
    }
    windows.settle();
    (values, vec![Duration::from_nanos(240), Duration::from_nanos(1_250), Duration::ZERO], windows.memory())
}

#[test]
fn what_is_known_of_a_panel_that_runs() {
    let (values, costs, windows) = live();
    let graph = Graph::new(
        &panel(PANEL),
        Live { values: &values, costs: &costs, called: None, windows: Some(&windows) },
    );
    let told = |id: &str| {
        let node = graph.nodes.iter().find(|node| node.id == id).unwrap();
        (node.value.clone(), node.state, node.error.as_deref(), node.cost.map(|cost| cost.as_nanos()))
    };
    assert_eq!(told("value:half"), (Some(Value::Number(20.85)), Some("stale"), None, Some(240)));
    assert_eq!(
        told("value:quarter"),
        (Some(Value::Number(0.25)), Some("live"), Some("division by zero"), Some(1_250))
    );
    assert_eq!(told("value:also"), (None, None, None, None), "not measured yet");
    let window = |id: &str| {
        let node = graph.nodes.iter().find(|node| node.id == id).unwrap();
        (node.value.clone(), node.samples, node.state)
    };
    let number = |number| Some(Value::Number(number));
    assert_eq!(window("window:avg(room.value, 5m)"), (number(40.85), Some(2), Some("stale")));
    assert_eq!(window("window:percentile(room.value, 95, 1h)"), (number(41.7), Some(3), Some("stale")));
    assert_eq!(told("key:room.value"), (Some(Value::Number(41.7)), Some("stale"), None, None));
}

#[test]
fn all_forms() {
    let (values, costs, windows) = live();
    let panel = panel(PANEL);
    let graph =
        Graph::new(&panel, Live { values: &values, costs: &costs, called: None, windows: Some(&windows) });
    insta::assert_snapshot!("dot", graph.dot());
    insta::assert_snapshot!("mermaid", graph.mermaid());
    insta::assert_snapshot!("svg", graph.svg("panel.toml").unwrap().replace(STYLE, "…\n"));
    assert_eq!(
        graph.svg("p").unwrap(),
        Graph::new(&panel, Live { values: &values, costs: &costs, called: None, windows: Some(&windows) })
            .svg("p")
            .unwrap()
    );
    let json: serde_json::Value = serde_json::from_str(&graph.json()).unwrap();
    assert_eq!(json["nodes"].as_array().unwrap().len(), graph.nodes.len());
}

#[test]
fn what_users_write_stays_text() {
    let nasty = "a\"]<script>&--\u{7}\u{1b}[31m\n`#%%";
    let node = |id: &str| Node {
        id: format!("value:{id}"),
        kind: Kind::Value,
        name: id.into(),
        detail: None,
        formula: Some(nasty.into()),
        value: Some(nasty.into()),
        samples: None,
        state: Some("live"),
        error: Some(nasty.into()),
        cost: None,
        steps: None,
    };
    let edges = vec![Edge { from: format!("value:{nasty}"), to: "value:b".into() }];
    let graph = Graph { nodes: vec![node(nasty), node("b")], edges };
    let svg = graph.svg(nasty).unwrap();
    assert!(!svg.contains("<script") && !svg.contains('\u{7}') && !svg.contains('\u{1b}'), "{svg}");
    assert_eq!(svg.matches("class=\"node ").count(), 2);
    // The studio cuts these rules out: its page has them, and allows no others.
    assert_eq!((svg.matches("<style").count(), svg.matches("<style>").count()), (1, 1));
    assert!(svg.matches("</style>").count() == 1 && !svg.contains(" style="), "{svg}");
    let mermaid = graph.mermaid();
    assert_eq!(mermaid.lines().count(), 6, "{mermaid}");
    assert!(mermaid.lines().nth(1).unwrap().starts_with("  n0(\"a#34;]#60;script#62;"), "{mermaid}");
    let dot = graph.dot();
    assert_eq!(dot.lines().count(), 7, "{dot}");
    assert!(dot.contains(r#"  "value:a\"]<script>"#), "{dot}");
}

#[test]
fn keys_that_nothing_uses_are_counted() {
    let graph = Graph::new(&panel(PANEL), Live::default()).without_idle_keys();
    assert!(graph.nodes.iter().all(|node| node.kind != Kind::Key || node.name == "room.value"));
    let spare = graph.nodes.iter().find(|node| node.name == "spare").unwrap();
    assert_eq!(spare.detail.as_deref(), Some("push · 2 unused keys"));
}

#[test]
fn pictures_are_limited() {
    let node = |index: usize| Node {
        id: format!("value:{index}"),
        kind: Kind::Value,
        name: index.to_string(),
        detail: None,
        formula: None,
        value: None,
        samples: None,
        state: None,
        error: None,
        cost: None,
        steps: None,
    };
    let chain = |count: usize| Graph {
        nodes: (0..count).map(node).collect(),
        edges: (1..count)
            .map(|index| Edge { from: format!("value:{}", index - 1), to: format!("value:{index}") })
            .collect(),
    };
    for (count, expected) in [(0, true), (1, true), (NODES_DRAWN, true), (NODES_DRAWN + 1, false)] {
        assert_eq!(chain(count).svg("").is_ok(), expected, "{count}");
    }
    // Every node needs all before it: more lanes than are sorted.
    let count = 120;
    let edges = (0..count).flat_map(|to| (0..to).map(move |from| (from, to)));
    let edge = |(from, to)| Edge { from: format!("value:{from}"), to: format!("value:{to}") };
    let whole = Graph { nodes: (0..count).map(node).collect(), edges: edges.map(edge).collect() };
    assert!(whole.svg("").is_ok());
}

/// Each of many formulas is looked up once, and not searched for among all others.
#[test]
fn large_graphs_are_made_in_time() {
    const MANY: usize = 10_000;
    let mut panel = panel(PANEL);
    let texts: Vec<String> = (0..MANY).map(|n| format!("room.value * {n}")).collect();
    let names: Vec<String> = (0..MANY).map(|n| format!("v{n}")).collect();
    let mut entries: Vec<Entry<'_>> =
        names.iter().zip(&texts).map(|(name, text)| Entry { name: Some(name), text }).collect();
    entries.extend(texts.iter().map(|text| Entry { name: None, text }));
    let keys = [formula::Key { name: "room.value".into(), kind: formula::Kind::Number }];
    panel.program = compile(&entries, &Environment::of(&keys)).program;
    panel.keys.truncate(1);
    panel.values = names.iter().cloned().zip((0..).map(FormulaId)).collect();
    panel.templates.clear();
    panel.animations.clear();
    panel.scene.widgets.clear();
    let trigger = panel.triggers[0].clone();
    panel.triggers = (0..10 * MANY)
        .map(|n| Trigger {
            name: format!("t{n}"),
            when: When::Holds(FormulaId((MANY + n % MANY) as u32)),
            actions: Vec::new(),
            ..trigger.clone()
        })
        .collect();
    let graph = Graph::new(&panel, Live::default());
    let shown = graph.edges.iter().filter(|edge| edge.from.starts_with("value:v")).count();
    assert_eq!(shown, 10 * MANY, "each trigger needs the value that is the same as its condition");
    assert!(graph.dot().len() > MANY);
}
