//! What nothing uses: named values that neither the page nor a trigger nor a script depends on.

use engine::formula::FormulaId;

/// Whether each formula is used: those without a name, and all that a used one names. `names[i]` is the name
/// of formula i and `needs[i]` are the formulas that it names; a value whose name `is_read` elsewhere is used.
pub(super) fn used(
    names: &[Option<&str>],
    needs: &[Vec<FormulaId>],
    is_read: impl Fn(&str) -> bool,
) -> Vec<bool> {
    let mut used = vec![false; names.len()];
    let is_root = |name: &Option<&str>| name.is_none_or(&is_read);
    let mut waiting: Vec<usize> = (0..names.len()).filter(|index| is_root(&names[*index])).collect();
    while let Some(index) = waiting.pop() {
        if std::mem::replace(&mut used[index], true) {
            continue;
        }
        let needed = needs.get(index).into_iter().flatten();
        waiting.extend(needed.map(|id| id.0 as usize).filter(|index| *index < names.len()));
    }
    used
}

/// Whether `name` stands in the `source` of a script, by itself or in quotes: a script can ask for a value by
/// a name that it puts together, but hardly ever does.
pub(super) fn names_value(source: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    source.match_indices(name).any(|(at, _)| {
        !source[..at].ends_with(is_part) && !source[at + name.len()..].starts_with(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_is_what_a_formula_without_a_name_needs() {
        let names = [Some("a"), Some("b"), Some("c"), Some("d"), None, Some("e")];
        let needs: Vec<Vec<FormulaId>> = [&[1][..], &[2], &[], &[0, 3], &[1], &[]]
            .map(|ids: &[u32]| ids.iter().map(|id| FormulaId(*id)).collect())
            .into();
        let none = |_: &str| false;
        assert_eq!(used(&names, &needs, none), [false, true, true, false, true, false]);
        assert_eq!(used(&names, &needs, |name| name == "d"), [true, true, true, true, true, false]);
        assert_eq!(used(&names, &[], none), [false, false, false, false, true, false]);
    }

    #[test]
    fn a_script_names_a_value_by_its_whole_name() {
        let source = "return get('load') + loads.busy";
        for (name, expected) in [("load", true), ("busy", true), ("loads", true), ("oad", false), ("get2", false)] {
            assert_eq!(names_value(source, name), expected, "{name}");
        }
    }
}
