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
    stale c07606de2eb965e7
    failed b02acdae8ae27ff1
    waiting 3030b844a03b0652
    sparklines 980c3af98120f20a
    bars 3e06d84179b71994
    shapes 08a377efba080e64
    texts 41bd76a89ab3e8b8
    ");
}
