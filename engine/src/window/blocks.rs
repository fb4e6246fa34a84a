//! A list in order of time that is cheap to copy: blocks that copies share until one of them changes.

use alloc::collections::VecDeque;
use alloc::sync::Arc;

/// Items of a block.
const BLOCK: usize = 512;

/// Something that has a time.
pub(super) trait Stamped: Clone {
    /// Unix time in milliseconds.
    fn ms(&self) -> i64;
}

/// Items by their time; those of one time in the order in which they came.
#[derive(Clone, Debug)]
pub(super) struct Blocks<T> {
    /// None of them is empty.
    blocks: VecDeque<Arc<VecDeque<T>>>,
    len: usize,
}

impl<T> Default for Blocks<T> {
    fn default() -> Blocks<T> {
        Blocks { blocks: VecDeque::new(), len: 0 }
    }
}

impl<T: Stamped> Blocks<T> {
    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The oldest.
    pub(super) fn front(&self) -> Option<&T> {
        self.blocks.front()?.front()
    }

    /// The newest.
    pub(super) fn back(&self) -> Option<&T> {
        self.blocks.back()?.back()
    }

    /// The oldest first.
    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.blocks.iter().flat_map(|block| block.iter())
    }

    /// Those later than `ms`, the oldest of them first.
    pub(super) fn after(&self, ms: i64) -> impl Iterator<Item = &T> {
        let block = self.blocks.partition_point(|block| block.back().is_some_and(|item| item.ms() <= ms));
        let first = self.blocks.get(block).map_or(0, |block| block.partition_point(|item| item.ms() <= ms));
        self.blocks.range(block..).flat_map(|block| block.iter()).skip(first)
    }

    /// Puts an item behind all that are not later. The cost grows with a block, never with the list.
    pub(super) fn insert(&mut self, item: T) {
        self.len += 1;
        let is_last = self.back().is_none_or(|last| last.ms() <= item.ms());
        if is_last {
            return self.append(item);
        }
        let block = self.blocks.partition_point(|block| block.back().is_some_and(|i| i.ms() <= item.ms()));
        let Some(shared) = self.blocks.get_mut(block) else { return };
        let items = Arc::make_mut(shared);
        let index = items.partition_point(|other| other.ms() <= item.ms());
        items.insert(index, item);
        if items.len() > BLOCK {
            let upper = items.split_off(BLOCK / 2);
            self.blocks.insert(block + 1, Arc::new(upper));
        }
    }

    /// Changes the first item that `ms` is not later than.
    pub(super) fn at_mut(&mut self, ms: i64) -> Option<&mut T> {
        let block = self.blocks.partition_point(|block| block.back().is_some_and(|item| item.ms() < ms));
        let items = Arc::make_mut(self.blocks.get_mut(block)?);
        let index = items.partition_point(|item| item.ms() < ms);
        items.get_mut(index)
    }

    /// Takes the oldest out.
    pub(super) fn pop_front(&mut self) -> Option<T> {
        self.pop(VecDeque::front_mut, VecDeque::pop_front, VecDeque::pop_front)
    }

    /// Takes the newest out.
    pub(super) fn pop_back(&mut self) -> Option<T> {
        self.pop(VecDeque::back_mut, VecDeque::pop_back, VecDeque::pop_back)
    }

    /// The bytes of its items, without what they point to.
    pub(super) fn bytes(&self) -> usize {
        self.blocks.iter().map(|block| block.capacity() * size_of::<T>()).sum()
    }

    fn append(&mut self, item: T) {
        match self.blocks.back_mut().filter(|block| block.len() < BLOCK) {
            Some(block) => Arc::make_mut(block).push_back(item),
            None => self.blocks.push_back(Arc::new(VecDeque::from([item]))),
        }
    }

    fn pop(
        &mut self,
        end: impl Fn(&mut VecDeque<Arc<VecDeque<T>>>) -> Option<&mut Arc<VecDeque<T>>>,
        pop: impl Fn(&mut VecDeque<T>) -> Option<T>,
        drop_block: impl Fn(&mut VecDeque<Arc<VecDeque<T>>>) -> Option<Arc<VecDeque<T>>>,
    ) -> Option<T> {
        let block = Arc::make_mut(end(&mut self.blocks)?);
        let item = pop(block)?;
        self.len -= 1;
        if block.is_empty() {
            drop_block(&mut self.blocks);
        }
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    impl Stamped for (i64, usize) {
        fn ms(&self) -> i64 {
            self.0
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn it_is_a_sorted_list(
            steps in prop::collection::vec((-2_i64..3, 0_i64..3_000), 1..3_000),
        ) {
            let (mut blocks, mut list) = (Blocks::default(), Vec::new());
            let mut copies = Vec::new();
            for (number, (step, ms)) in steps.into_iter().enumerate() {
                match step {
                    -2 => prop_assert_eq!(blocks.pop_back(), list.pop()),
                    -1 => prop_assert_eq!(blocks.pop_front(), (!list.is_empty()).then(|| list.remove(0))),
                    _ => {
                        blocks.insert((ms, number));
                        let index = list.partition_point(|(other, _)| *other <= ms);
                        list.insert(index, (ms, number));
                    }
                }
                if number % 701 == 0 {
                    copies.push((blocks.clone(), list.clone()));
                }
            }
            copies.push((blocks, list));
            for (blocks, list) in copies {
                prop_assert_eq!(blocks.len(), list.len());
                prop_assert_eq!(blocks.iter().collect::<Vec<_>>(), list.iter().collect::<Vec<_>>());
                for ms in [-1, 0, 700, 1_500, 2_999, 3_000] {
                    let after = list.iter().filter(|(other, _)| *other > ms);
                    prop_assert_eq!(blocks.after(ms).collect::<Vec<_>>(), after.collect::<Vec<_>>());
                    let mut blocks = blocks.clone();
                    let first = list.iter().find(|(other, _)| *other >= ms);
                    prop_assert_eq!(blocks.at_mut(ms).map(|item| *item), first.copied());
                }
            }
        }
    }
}
