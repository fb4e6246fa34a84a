//! What nothing uses: named values that neither the page nor a trigger depends on.

use engine::formula::FormulaId;

/// Whether each formula is used: those without a name, and all that a used one names. `names[i]` is the name
/// of formula i and `needs[i]` are the formulas that it names.
pub(super) fn used(names: &[Option<&str>], needs: &[Vec<FormulaId>]) -> Vec<bool> {
    let mut used = vec![false; names.len()];
    let mut waiting: Vec<usize> = (0..names.len()).filter(|index| names[*index].is_none()).collect();
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
        assert_eq!(used(&names, &needs), [false, true, true, false, true, false]);
        assert_eq!(used(&names, &[]), [false, false, false, false, true, false]);
    }
}
