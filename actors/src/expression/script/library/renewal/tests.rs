use std::rc::Rc;

use super::*;
use crate::expression::script::{Limits, View};

fn library(texts: &[&str]) -> Library {
    let files =
        (0..).zip(texts).map(|(n, text)| File { name: format!("{n}.lua").into(), text: (*text).into() });
    let view = Rc::new(View::default());
    let (library, problems) = Library::check(files.collect(), Limits::default(), &view, is_builtin);
    assert!(problems.is_empty(), "{problems:?}");
    library
}

fn script(index: usize, text: &str) -> Script {
    Script { file: format!("{index}.lua").into(), text: text.into() }
}

fn used(name: &str, arguments: usize, result: Kind) -> Used {
    Used { name: name.into(), arguments, result }
}

const ONE: &str = "function f(a: number, b: number?): number return a end";
const TWO: &str = "function g(): string return 'g' end function on_tick(n) end";

#[test]
fn what_formulas_use_has_to_stay_as_they_use_it() {
    let library = library(&[ONE, TWO]);
    let used = [used("f", 1, Kind::Number), used("f", 2, Kind::Number), used("g", 0, Kind::Text)];
    let check = |scripts: &[Script], expected: Result<&[&str], &str>| {
        let renewed = library.renewed(scripts, &used);
        let names = renewed.as_ref().map(|renewed| {
            renewed.functions.iter().map(|function| function.name.as_str()).collect::<Vec<_>>()
        });
        let told = names.as_deref().map_err(|refusal| refusal.to_string());
        assert_eq!(told.map_err(|told| told.to_string()), expected.map_err(str::to_string), "{scripts:?}");
    };
    let f = "function f(a: number, b: number?): number return a + 1 end";
    check(&[script(0, f)], Ok(&["f", "g"]));
    // Those that were there keep their places.
    check(&[script(0, &format!("function h() return 1 end {f}"))], Ok(&["f", "g", "h"]));
    check(&[script(0, "function f(...) return 1 end")], Ok(&["f", "g"]));
    check(
        &[script(0, "function f(a: boolean, b: number?): number return 1 end")],
        Err("0.lua:1: the parameters of `f` have other types, and formulas give what the old ones say"),
    );
    // A function may move to another file, with both changed at once.
    check(
        &[script(1, "function g() return 1 end"), script(0, f)],
        Err("1.lua:1: formulas take what `g` returns for a text, and now it returns a number"),
    );
    check(&[script(0, &format!("{f}\n{TWO}")), script(1, "")], Ok(&["f", "g"]));
    check(&[script(0, &format!("{f}\n{TWO}"))], Err("1.lua:1: 0.lua defines a function `g` too"));
    check(
        &[script(0, "\nfunction f(a) return a end")],
        Err("0.lua:2: formulas call `f` with 2 arguments, and now it is `f(a)`"),
    );
    check(
        &[script(0, "local function f(a, b) return a end")],
        Err("0.lua:1: formulas call `f`, which is not defined any more"),
    );
    check(
        &[script(0, &format!("{f}\nfunction round(x) return x end"))],
        Err("0.lua:2: formulas have a function `round` already"),
    );
    check(&[script(7, f)], Err("7.lua:1: the panel has no such script"));
    let long = " ".repeat(SOURCE_BYTES_MAX + 1);
    check(&[script(0, &long)], Err("0.lua:1: a script has 262144 bytes at most"));
    check(&[script(0, &format!("{f}{}", &long[f.len() + 1..]))], Ok(&["f", "g"]));
}

#[test]
fn handlers_come_and_go_with_their_texts() {
    let library = library(&[ONE, TWO]);
    let handlers = |library: &Library| library.handlers.to_vec();
    let renewed = library.renewed(&[script(0, &format!("{ONE} function on_event() end"))], &[]).unwrap();
    assert_eq!(handlers(&renewed), [vec!["on_event"], vec!["on_tick"]]);
    assert_eq!((library.changed(&renewed), renewed.changed(&renewed)), (vec![0], vec![]));
    let renewed = renewed.renewed(&[script(1, "")], &[]).unwrap();
    assert_eq!((handlers(&renewed), library.changed(&renewed)), (vec![vec!["on_event"], vec![]], vec![0, 1]));
}

#[test]
fn a_place_that_is_free_is_taken_again() {
    let library = library(&[ONE, TWO]);
    let names = |library: &Library| -> Vec<String> {
        library.functions.iter().map(|function| function.name.clone()).collect()
    };
    let without = library.renewed(&[script(0, "")], &[]).unwrap();
    assert_eq!(names(&without), [GONE, "g"]);
    let present: Vec<_> = without.present().map(|(function, file)| (function.name.as_str(), file)).collect();
    assert_eq!(present, [("g", 1)]);
    let text = "function a() return 1 end function b() return 1 end";
    let with = without.renewed(&[script(0, text)], &[]).unwrap();
    assert_eq!(names(&with), ["a", "g", "b"]);
    assert_eq!(names(&with.renewed(&[script(0, ONE)], &[]).unwrap()), ["f", "g", GONE]);
}
