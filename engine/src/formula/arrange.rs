//! The order of the nodes: each after those it needs and, where a program has many of one shape, those of a
//! shape side by side, so that groups of them can share their code.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use super::ir::Ir;
use super::lower::shape::Shape;
use super::program::Node;

/// From so many nodes of a shape on they share code. Fewer are faster with code of their own.
const SHARED_MIN: usize = 8;

/// An order of the nodes.
pub(super) struct Order {
    /// By new index: the old one. Empty where they stay as they are.
    pub(super) old: Vec<u32>,
    /// By new index: the shape that the node shares.
    pub(super) shapes: Vec<Option<Shape>>,
}

/// Nodes come after those they need. They are sorted by how long the longest way to an input is, so that those
/// of a shape which need each other are apart.
pub(super) fn order(irs: &[Ir], nodes: &[Node]) -> Order {
    let mut needed = vec![false; irs.len()];
    let mut levels = vec![0_u32; irs.len()];
    for (index, node) in nodes.iter().enumerate() {
        for need in &node.needs_nodes {
            needed[*need as usize] = true;
            levels[index] = levels[index].max(levels[*need as usize] + 1);
        }
    }
    let mut shapes: Vec<_> = irs.iter().zip(needed).map(|(ir, needed)| Shape::of(ir, needed)).collect();
    // By level and shape: the first node, and how many there are.
    let mut found = BTreeMap::<(u32, &str), (u32, usize)>::new();
    for (index, shape) in (0..).zip(&shapes) {
        if let Some(shape) = shape {
            found.entry((levels[index as usize], shape.text())).or_insert((index, 0)).1 += 1;
        }
    }
    let places: Vec<Option<u32>> = shapes
        .iter()
        .zip(&levels)
        .map(|(shape, level)| {
            let (first, count) = found.get(&(*level, shape.as_ref()?.text()))?;
            (*count >= SHARED_MIN).then_some(*first)
        })
        .collect();
    for (shape, place) in shapes.iter_mut().zip(&places) {
        shape.take_if(|_| place.is_none());
    }
    let mut alike = BTreeMap::<String, Vec<&mut Shape>>::new();
    for shape in shapes.iter_mut().flatten() {
        alike.entry(shape.text().into()).or_default().push(shape);
    }
    alike.into_values().for_each(|shapes| Shape::unite(shapes.into_iter()));
    if places.iter().all(Option::is_none) {
        return Order { old: Vec::new(), shapes };
    }
    let mut old: Vec<u32> = (0..).zip(irs).map(|(index, _)| index).collect();
    old.sort_by_key(|index| {
        let at = *index as usize;
        (levels[at], places[at].unwrap_or(u32::MAX), *index)
    });
    let shapes = old.iter().map(|index| shapes[*index as usize].take()).collect();
    Order { old, shapes }
}
