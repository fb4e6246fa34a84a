//! What nothing uses: named values that neither the page nor a trigger nor a script depends on.

use std::collections::BTreeSet;

use engine::formula::FormulaId;

/// Whether each formula is used: those without a name, those that scripts `read`, and all that a used one names.
/// `names[i]` is the name of formula i and `needs[i]` are the formulas that it names.
pub(super) fn used(names: &[Option<&str>], needs: &[Vec<FormulaId>], read: &BTreeSet<&str>) -> Vec<bool> {
    let mut used = vec![false; names.len()];
    let is_root = |index: &usize| names[*index].is_none_or(|name| read.contains(name));
    let mut waiting: Vec<usize> = (0..names.len()).filter(is_root).collect();
    while let Some(index) = waiting.pop() {
        if std::mem::replace(&mut used[index], true) {
            continue;
        }
        let needed = needs.get(index).into_iter().flatten();
        waiting.extend(needed.map(|id| id.0 as usize).filter(|index| *index < names.len()));
    }
    used
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
        let none = BTreeSet::new();
        assert_eq!(used(&names, &needs, &none), [false, true, true, false, true, false]);
        assert_eq!(used(&names, &[], &none), [false, false, false, false, true, false]);
        let read = BTreeSet::from(["d", "nowhere"]);
        assert_eq!(used(&names, &needs, &read), [true, true, true, true, true, false]);
    }
}
