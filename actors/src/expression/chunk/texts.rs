//! The evaluator's texts. In a lane a text is a number; two lanes are equal if and only if their texts are.

use std::collections::HashMap;
use std::sync::Arc;

use engine::paint::Lookups;

/// Below this many texts nothing is swept.
const FEW: usize = 1_024;

/// What is to be known of texts to go on with the same numbers.
#[derive(Clone, Debug)]
pub(super) struct Memory {
    by_number: Vec<Option<Arc<str>>>,
    free: Vec<u32>,
    crowded_at: usize,
}

/// Texts by their numbers.
pub(super) struct Texts {
    by_number: Vec<Option<Arc<str>>>,
    // Never iterated over, so that its order does not matter.
    numbers: HashMap<Arc<str>, u32>,
    free: Vec<u32>,
    /// The first ones are the program's own and stay.
    literals: usize,
    crowded_at: usize,
    /// Where results are put together.
    scratch: String,
    lookups: Lookups,
}

impl Texts {
    /// The program's own texts get their indices as numbers.
    pub(super) fn new(literals: &[Arc<str>]) -> Texts {
        let mut texts = Texts {
            by_number: Vec::new(),
            numbers: HashMap::new(),
            free: Vec::new(),
            literals: literals.len(),
            crowded_at: FEW + 2 * literals.len(),
            scratch: String::new(),
            lookups: Lookups::default(),
        };
        for literal in literals {
            texts.intern(literal);
        }
        texts
    }

    /// What is to be known of them.
    pub(super) fn memory(&self) -> Memory {
        let Texts { by_number, free, crowded_at, .. } = self;
        Memory { by_number: by_number.clone(), free: free.clone(), crowded_at: *crowded_at }
    }

    /// Goes back to what others of the same program knew.
    pub(super) fn restore(&mut self, memory: &Memory) {
        let Memory { by_number, free, crowded_at } = memory.clone();
        let texts = (0..).zip(&by_number).filter_map(|(number, text)| Some((text.clone()?, number)));
        self.numbers = texts.collect();
        (self.by_number, self.free, self.crowded_at) = (by_number, free, crowded_at);
    }

    /// The number of a text.
    pub(super) fn intern(&mut self, text: &str) -> f64 {
        if let Some(number) = self.numbers.get(text) {
            self.lookups.hits += 1;
            return f64::from(*number);
        }
        self.lookups.misses += 1;
        let kept: Arc<str> = text.into();
        let number = self.free.pop().unwrap_or(u32::try_from(self.by_number.len()).unwrap_or(u32::MAX));
        match self.by_number.get_mut(number as usize) {
            Some(place) => *place = Some(kept.clone()),
            None => self.by_number.push(Some(kept.clone())),
        }
        self.numbers.insert(kept, number);
        f64::from(number)
    }

    /// The number of a text that `write` writes.
    pub(super) fn with_scratch(&mut self, write: impl FnOnce(&mut String)) -> f64 {
        let number = self.with_scratch_if(|scratch| {
            write(scratch);
            true
        });
        number.unwrap_or(f64::NAN)
    }

    /// The number of a text that `write` writes; `None` where it answers that it wrote none.
    pub(super) fn with_scratch_if(&mut self, write: impl FnOnce(&mut String) -> bool) -> Option<f64> {
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        let number = write(&mut scratch).then(|| self.intern(&scratch));
        self.scratch = scratch;
        number
    }

    /// The text of a number.
    pub(super) fn get(&self, number: f64) -> Option<Arc<str>> {
        self.by_number.get(index(number)?)?.clone()
    }

    /// How often texts were asked for.
    pub(super) fn lookups(&self) -> Lookups {
        self.lookups
    }

    /// Whether it is time to [`Texts::keep_only`].
    pub(super) fn is_crowded(&self) -> bool {
        self.numbers.len() > self.crowded_at
    }

    /// Forgets all texts but the program's and those with the numbers in `lanes`.
    pub(super) fn keep_only(&mut self, lanes: impl Iterator<Item = f64>) {
        let mut keep = vec![false; self.by_number.len()];
        keep.iter_mut().take(self.literals).for_each(|keep| *keep = true);
        for number in lanes.filter_map(index) {
            if let Some(keep) = keep.get_mut(number) {
                *keep = true;
            }
        }
        for ((number, text), keep) in (0..).zip(&mut self.by_number).zip(keep) {
            if let Some(text) = text.take_if(|_| !keep) {
                self.numbers.remove(&text);
                self.free.push(number);
            }
        }
        self.crowded_at = FEW + 2 * self.numbers.len();
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lanes of texts hold small whole numbers"
)]
fn index(number: f64) -> Option<usize> {
    (number >= 0.0).then_some(number as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_number_and_numbers_are_used_again() {
        let mut texts = Texts::new(&["literal".into()]);
        let (a, b) = (texts.intern("a"), texts.intern("b"));
        assert_eq!((texts.intern("literal"), a, texts.intern("a"), b), (0.0, 1.0, 1.0, 2.0));
        assert_eq!(texts.lookups(), Lookups { hits: 2, misses: 3 });
        texts.keep_only([b, f64::NAN].into_iter());
        assert_eq!(
            (texts.get(0.0).as_deref(), texts.get(a), texts.get(b).as_deref()),
            (Some("literal"), None, Some("b"))
        );
        assert_eq!((texts.intern("c"), texts.intern("a")), (1.0, 3.0));
    }

    #[test]
    fn what_nobody_keeps_does_not_pile_up() {
        let mut texts = Texts::new(&[]);
        for n in 0..10 * FEW {
            let number = texts.intern(&n.to_string());
            if texts.is_crowded() {
                texts.keep_only([number].into_iter());
            }
        }
        assert!(texts.by_number.len() <= FEW + 3, "{}", texts.by_number.len());
    }
}
