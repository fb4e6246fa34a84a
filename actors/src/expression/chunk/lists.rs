//! Many short lists in one piece of memory, since in a large program each would be somewhere else.

/// Lists by their numbers.
pub(super) struct Lists<T> {
    /// Where each begins, and behind them where the last one ends.
    bounds: Vec<u32>,
    items: Vec<T>,
}

impl<T> Lists<T> {
    /// How many lists there are.
    pub(super) fn len(&self) -> usize {
        self.bounds.len() - 1
    }

    /// The list of this number; empty where there is none.
    #[inline]
    pub(super) fn of(&self, index: usize) -> &[T] {
        match self.bounds.get(index..index + 2) {
            Some([start, end]) => self.items.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

impl<'a, T: Copy + 'a> FromIterator<&'a [T]> for Lists<T> {
    fn from_iter<I: IntoIterator<Item = &'a [T]>>(lists: I) -> Lists<T> {
        let mut all = Lists { bounds: vec![0], items: Vec::new() };
        for list in lists {
            all.items.extend_from_slice(list);
            all.bounds.push(u32::try_from(all.items.len()).unwrap_or(u32::MAX));
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_stay_apart() {
        let lists: Lists<u8> = [&[1, 2][..], &[], &[3]].into_iter().collect();
        assert_eq!(lists.len(), 3);
        assert_eq!((0..4).map(|index| lists.of(index)).collect::<Vec<_>>(), [&[1, 2][..], &[], &[3], &[]]);
    }
}
