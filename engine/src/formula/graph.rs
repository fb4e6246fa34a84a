//! Dependencies among formulas: an order in which each comes after what it needs, and the cycles that make
//! one impossible.

use alloc::collections::{BTreeMap, VecDeque};
use alloc::vec;
use alloc::vec::Vec;

/// The strongly connected components of a graph, each after the components that its members point to.
/// A component of more than one member, or of one that points to itself, is a cycle.
/// (Tarjan 1972, with an explicit stack: a chain of ten thousand values must not exhaust the real one.)
pub(crate) fn components(edges: &[Vec<u32>]) -> Vec<Vec<u32>> {
    let mut search = Search {
        edges,
        index: vec![UNSEEN; edges.len()],
        low: vec![0; edges.len()],
        on_path: vec![false; edges.len()],
        path: Vec::new(),
        next: 0,
        found: Vec::new(),
    };
    for start in 0..edges.len() {
        if search.index[start] == UNSEEN {
            search.walk(start);
        }
    }
    search.found
}

/// A shortest way from `start` back to itself that stays within `component` (sorted), `start` first and last.
pub(crate) fn cycle(edges: &[Vec<u32>], component: &[u32], start: u32) -> Vec<u32> {
    let inside = |v: u32| component.binary_search(&v).is_ok();
    let mut came_from: BTreeMap<u32, u32> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(v) = queue.pop_front() {
        for &next in &edges[v as usize] {
            if next == start {
                let mut way = vec![start, v];
                while let Some(before) = way.last().and_then(|last| came_from.get(last)) {
                    way.push(*before);
                }
                way.reverse();
                return way;
            }
            if inside(next) && !came_from.contains_key(&next) {
                came_from.insert(next, v);
                queue.push_back(next);
            }
        }
    }
    vec![start, start]
}

/// The members of a cycle as they are shown: of many its ends.
pub(crate) fn shorten<'a>(names: &[&'a str]) -> Vec<&'a str> {
    match names {
        [start @ .., _, _, _] if start.len() > 8 => {
            names[..6].iter().chain(&["\u{2026}"]).chain(&names[names.len() - 3..]).copied().collect()
        }
        _ => names.to_vec(),
    }
}

const UNSEEN: u32 = u32::MAX;

struct Search<'a> {
    edges: &'a [Vec<u32>],
    index: Vec<u32>,
    low: Vec<u32>,
    on_path: Vec<bool>,
    path: Vec<u32>,
    next: u32,
    found: Vec<Vec<u32>>,
}

impl Search<'_> {
    fn walk(&mut self, start: usize) {
        // A vertex and how many of its edges have been followed.
        let mut stack = vec![(start, 0)];
        self.enter(start);
        while let Some((v, followed)) = stack.last_mut() {
            let v = *v;
            match self.edges[v].get(*followed) {
                Some(&to) => {
                    *followed += 1;
                    let to = to as usize;
                    if self.index[to] == UNSEEN {
                        self.enter(to);
                        stack.push((to, 0));
                    } else if self.on_path[to] {
                        self.low[v] = self.low[v].min(self.index[to]);
                    }
                }
                None => {
                    stack.pop();
                    if let Some((parent, _)) = stack.last() {
                        self.low[*parent] = self.low[*parent].min(self.low[v]);
                    }
                    if self.low[v] == self.index[v] {
                        self.close(v);
                    }
                }
            }
        }
    }

    #[allow(clippy::cast_possible_truncation, reason = "formulas are numbered in u32")]
    fn enter(&mut self, v: usize) {
        self.index[v] = self.next;
        self.low[v] = self.next;
        self.next += 1;
        self.on_path[v] = true;
        self.path.push(v as u32);
    }

    fn close(&mut self, root: usize) {
        let start = self.path.iter().rposition(|v| *v as usize == root).unwrap_or(0);
        let mut component = self.path.split_off(start);
        for v in &component {
            self.on_path[*v as usize] = false;
        }
        component.sort_unstable();
        self.found.push(component);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edges(of: &[&[u32]]) -> Vec<Vec<u32>> {
        of.iter().map(|e| e.to_vec()).collect()
    }

    #[test]
    fn dependencies_come_first() {
        assert_eq!(components(&edges(&[&[1, 2], &[2], &[]])), [[2], [1], [0]]);
    }

    #[test]
    fn cycles_are_components() {
        let graph = edges(&[&[1], &[2], &[0], &[0, 4], &[4]]);
        assert_eq!(components(&graph), [vec![0, 1, 2], vec![4], vec![3]]);
        assert_eq!(cycle(&graph, &[0, 1, 2], 0), [0, 1, 2, 0]);
        assert_eq!(cycle(&graph, &[4], 4), [4, 4]);
    }

    #[test]
    fn the_shortest_cycle_is_shown() {
        let graph = edges(&[&[1, 2], &[2], &[3, 0], &[0]]);
        assert_eq!(cycle(&graph, &[0, 1, 2, 3], 0), [0, 2, 0]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let graph: Vec<Vec<u32>> =
            (1..=100_000).map(|next| if next == 100_000 { vec![] } else { vec![next] }).collect();
        assert_eq!(components(&graph).first(), Some(&vec![99_999]));
    }
}
