//! The gallery's panels, by the hashes of their frames: what no machine, dependency or refactoring may
//! change unseen. Where a change is meant, look at the pictures (`cargo run -p tinydisplay-engine --example
//! gallery`) and take the new hashes over.

#[path = "../examples/gallery/panels.rs"]
mod panels;
#[path = "../examples/gallery/states.rs"]
mod states;

#[test]
fn frames_are_the_same_everywhere() {
    let all = panels::all().into_iter().chain(states::all());
    let hashes: Vec<String> =
        all.map(|(name, panel)| format!("{name} {:016x}", panel.paint().hash())).collect();
    insta::assert_snapshot!(hashes.join("\n"), @r"
    midnight b3a99b6436434506
    paper 1d8f84b4e92d1071
    phosphor 1ed2976ddc488a1d
    live ffae1e94c0484334
    stale 875c6ae66a002e49
    failed 2ecdad19d23a4d7b
    waiting 5079511a60c02165
    sparklines 6dae96ccd013ce4f
    bars 3e06d84179b71994
    shapes 08a377efba080e64
    texts 4a21e5f020eb4f50
    ");
}
