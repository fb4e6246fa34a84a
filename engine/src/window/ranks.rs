//! Numbers by their size: which one has a rank. Sorted blocks with a Fenwick tree over their weights, so that
//! putting in, taking out and asking grow with the logarithm of how many there are.

use alloc::vec::Vec;

/// The most different numbers of a block.
const BLOCK: usize = 128;

/// Numbers, each with a weight: how many samples it stands for. Equal numbers are one.
#[derive(Clone, Debug, Default)]
pub(super) struct Ranks {
    blocks: Vec<Block>,
    /// A Fenwick tree over the weights of the blocks.
    tree: Vec<u64>,
    total: u64,
}

#[derive(Clone, Debug, Default)]
struct Block {
    /// Ascending.
    keys: Vec<u64>,
    weights: Vec<u32>,
}

impl Ranks {
    /// Puts a number in.
    pub(super) fn insert(&mut self, number: f64, weight: u32) {
        let key = key_of(number);
        self.total += u64::from(weight);
        if self.blocks.is_empty() {
            self.blocks.push(Block { keys: [key].into(), weights: [weight].into() });
            return self.plant();
        }
        let index = self.block_of(key).min(self.blocks.len() - 1);
        let block = &mut self.blocks[index];
        match block.keys.binary_search(&key) {
            Ok(at) => block.weights[at] = block.weights[at].saturating_add(weight),
            Err(at) => {
                block.keys.insert(at, key);
                block.weights.insert(at, weight);
            }
        }
        if block.keys.len() > BLOCK {
            let (keys, weights) = (block.keys.split_off(BLOCK / 2), block.weights.split_off(BLOCK / 2));
            self.blocks.insert(index + 1, Block { keys, weights });
            return self.plant();
        }
        self.grow(index, u64::from(weight));
    }

    /// Takes a number out that was put in.
    pub(super) fn remove(&mut self, number: f64, weight: u32) {
        let key = key_of(number);
        let index = self.block_of(key);
        let Some(block) = self.blocks.get_mut(index) else { return };
        let Ok(at) = block.keys.binary_search(&key) else { return };
        let weight = weight.min(block.weights[at]);
        self.total -= u64::from(weight);
        block.weights[at] -= weight;
        if block.weights[at] == 0 {
            block.keys.remove(at);
            block.weights.remove(at);
            if self.merge(index) {
                return self.plant();
            }
        }
        self.grow(index, u64::from(weight).wrapping_neg());
    }

    /// The number of this rank, from 1 on.
    pub(super) fn select(&self, rank: u64) -> Option<f64> {
        if rank == 0 || rank > self.total {
            return None;
        }
        let (mut index, mut left) = (0, rank);
        let mut step = self.blocks.len().next_power_of_two();
        while step > 0 {
            if let Some(weight) = self.tree.get(index + step).filter(|weight| **weight < left) {
                (index, left) = (index + step, left - weight);
            }
            step /= 2;
        }
        let block = self.blocks.get(index)?;
        for (key, weight) in block.keys.iter().zip(&block.weights) {
            match left.checked_sub(u64::from(*weight)) {
                Some(0) | None => return Some(number_of(*key)),
                Some(rest) => left = rest,
            }
        }
        None
    }

    /// The weight of all.
    #[cfg(test)]
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Takes all out.
    pub(super) fn clear(&mut self) {
        *self = Ranks::default();
    }

    /// Bytes that it takes beside its own.
    pub(super) fn bytes(&self) -> usize {
        let block =
            |block: &Block| size_of::<Block>() + 8 * block.keys.capacity() + 4 * block.weights.capacity();
        self.blocks.iter().map(block).sum::<usize>() + 8 * self.tree.capacity()
    }

    /// The block where a key is, or belongs; their number for one above all.
    fn block_of(&self, key: u64) -> usize {
        self.blocks.partition_point(|block| block.keys.last().is_some_and(|last| *last < key))
    }

    /// Removes a block that is empty, or puts a small one together with the next. Returns whether it did.
    fn merge(&mut self, index: usize) -> bool {
        let len = |index: usize| self.blocks.get(index).map_or(BLOCK, |block| block.keys.len());
        if len(index) == 0 {
            self.blocks.remove(index);
            return true;
        }
        if len(index) > BLOCK / 4 || len(index) + len(index + 1) > BLOCK * 3 / 4 {
            return false;
        }
        let Block { keys, weights } = self.blocks.remove(index + 1);
        self.blocks[index].keys.extend(keys);
        self.blocks[index].weights.extend(weights);
        true
    }

    /// Makes the tree anew. That happens once in so many changes as a block has room for.
    fn plant(&mut self) {
        let len = self.blocks.len();
        self.tree.clear();
        self.tree.push(0);
        self.tree
            .extend(self.blocks.iter().map(|block| block.weights.iter().map(|w| u64::from(*w)).sum::<u64>()));
        for index in 1..=len {
            let parent = index + (index & index.wrapping_neg());
            if parent <= len {
                self.tree[parent] += self.tree[index];
            }
        }
    }

    fn grow(&mut self, block: usize, by: u64) {
        let mut index = block + 1;
        while let Some(weight) = self.tree.get_mut(index) {
            *weight = weight.wrapping_add(by);
            index += index & index.wrapping_neg();
        }
    }
}

/// A number as one whose order is that of whole numbers.
fn key_of(number: f64) -> u64 {
    let bits = number.to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn number_of(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn ranks_are_those_of_a_sorted_list(
            steps in prop::collection::vec((any::<bool>(), -400_i32..400, 1_u32..4), 1..3_000),
        ) {
            let (mut ranks, mut list): (Ranks, Vec<f64>) = Default::default();
            for (is_in, number, weight) in steps {
                let number = f64::from(number) / 8.0;
                let at = list.partition_point(|other| *other < number);
                let has = list[at..].iter().take_while(|other| **other == number).count();
                if is_in || has < weight as usize {
                    ranks.insert(number, weight);
                    list.splice(at..at, core::iter::repeat_n(number, weight as usize));
                } else {
                    ranks.remove(number, weight);
                    list.drain(at..at + weight as usize);
                }
            }
            prop_assert_eq!(ranks.total() as usize, list.len());
            prop_assert_eq!(ranks.select(0), None);
            for rank in 0..=list.len() {
                prop_assert_eq!(ranks.select(rank as u64 + 1), list.get(rank).copied());
            }
            list.iter().for_each(|number| ranks.remove(*number, 1));
            prop_assert_eq!((ranks.total(), ranks.blocks.len()), (0, 0));
        }
    }
}
