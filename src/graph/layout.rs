//! Where the nodes of a graph stand in its picture: layers from left to right by the longest way to each
//! node, an order in each layer that crosses few edges, and heights that keep edges straight. It is the
//! method of Sugiyama, Tagawa and Toda (1981). The same graph gives the same picture.

use std::collections::BTreeMap;

/// The room between two layers, in pixels.
const LAYER_GAP: f64 = 56.0;

/// The room between two nodes of a layer.
const NODE_GAP: f64 = 14.0;

/// The room for an edge that passes through a layer.
const LANE: f64 = 10.0;

/// How often the order of all layers is improved.
const SWEEPS: usize = 12;

/// With more lanes than this, long edges go straight across: sorting them would take too long.
const LANES_MAX: usize = 20_000;

/// A node to place.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Size {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Whether it stands in the last layer, if nothing comes after it.
    pub(super) is_last: bool,
    /// Whether it stands right before what needs it, if it needs nothing itself.
    pub(super) is_near: bool,
}

/// Where everything stands; the upper left corner of all is 0, 0.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Layout {
    pub(super) width: f64,
    pub(super) height: f64,
    /// The nodes' upper left corners.
    pub(super) nodes: Vec<(f64, f64)>,
    /// By link, the points that it goes through, the first at a node's right edge.
    pub(super) ways: Vec<Vec<(f64, f64)>>,
}

/// Places nodes of these sizes, with links from one index to another.
pub(super) fn lay_out(sizes: &[Size], links: &[(usize, usize)]) -> Layout {
    let layer_of = layers(sizes, links);
    let mut grid = Grid::new(sizes, links, &layer_of);
    grid.order();
    let y = grid.heights();
    grid.layout(sizes, links, &y)
}

/// The layer of each node: behind all that it needs. Of a cycle one link is left out.
fn layers(sizes: &[Size], links: &[(usize, usize)]) -> Vec<usize> {
    let count = sizes.len();
    let mut after = vec![Vec::new(); count];
    let mut open = vec![0_usize; count];
    for (from, to) in links.iter().filter(|(from, to)| from != to) {
        after[*from].push(*to);
        open[*to] += 1;
    }
    let mut layer = vec![0_usize; count];
    let mut done = vec![false; count];
    let mut ready: Vec<usize> = (0..count).rev().filter(|node| open[*node] == 0).collect();
    let mut forced = 0;
    loop {
        while let Some(node) = ready.pop() {
            if std::mem::replace(&mut done[node], true) {
                continue;
            }
            for to in after[node].iter().copied().filter(|to| !done[*to]).collect::<Vec<_>>() {
                layer[to] = layer[to].max(layer[node] + 1);
                open[to] -= 1;
                if open[to] == 0 {
                    ready.push(to);
                }
            }
        }
        // What is left needs each other.
        let Some(node) = (forced..count).find(|node| !done[*node]) else { break };
        forced = node;
        ready.push(node);
    }
    let last = layer.iter().copied().max().unwrap_or(0);
    for node in 0..count {
        if sizes[node].is_last && after[node].is_empty() {
            layer[node] = last;
        }
    }
    for node in 0..count {
        if sizes[node].is_near && layer[node] == 0 {
            let first = after[node].iter().map(|to| layer[*to]).min().unwrap_or(1);
            layer[node] = first.saturating_sub(1);
        }
    }
    layer
}

/// A node, or the place where an edge passes through a layer.
#[derive(Clone, Copy, Debug)]
struct Cell {
    layer: usize,
    height: f64,
    /// `None` for an edge.
    node: Option<usize>,
}

struct Grid {
    cells: Vec<Cell>,
    /// By layer, its cells from the top down.
    rows: Vec<Vec<usize>>,
    /// By cell, its neighbours in the layer before and in the one behind.
    before: Vec<Vec<usize>>,
    behind: Vec<Vec<usize>>,
    /// By link, the cells that it goes through.
    ways: Vec<Vec<usize>>,
}

impl Grid {
    fn new(sizes: &[Size], links: &[(usize, usize)], layer_of: &[usize]) -> Grid {
        let nodes = sizes.iter().zip(layer_of).enumerate();
        let mut cells: Vec<Cell> = nodes
            .map(|(node, (size, layer))| Cell { layer: *layer, height: size.height, node: Some(node) })
            .collect();
        let span = |(from, to): &(usize, usize)| layer_of[*to].saturating_sub(layer_of[*from]);
        let lanes: usize = links.iter().map(|link| span(link).saturating_sub(1)).sum();
        let mut ways = Vec::with_capacity(links.len());
        for link in links {
            let (from, to) = *link;
            let mut way = vec![from];
            if lanes <= LANES_MAX {
                for layer in layer_of[from] + 1..layer_of[to].max(layer_of[from] + 1) {
                    way.push(cells.len());
                    cells.push(Cell { layer, height: LANE, node: None });
                }
            }
            way.push(to);
            ways.push(way);
        }
        let (mut before, mut behind) = (vec![Vec::new(); cells.len()], vec![Vec::new(); cells.len()]);
        for pair in ways.iter().flat_map(|way: &Vec<usize>| way.windows(2)) {
            if cells[pair[1]].layer == cells[pair[0]].layer + 1 {
                behind[pair[0]].push(pair[1]);
                before[pair[1]].push(pair[0]);
            }
        }
        let depth = layer_of.iter().copied().max().map_or(0, |last| last + 1);
        let mut rows = vec![Vec::new(); depth];
        for (index, cell) in cells.iter().enumerate() {
            rows[cell.layer].push(index);
        }
        Grid { cells, rows, before, behind, ways }
    }

    /// Sorts each layer by the middle of each cell's neighbours, to and fro, and keeps the best.
    fn order(&mut self) {
        let mut best = (self.crossings(), self.rows.clone());
        for sweep in 0..SWEEPS {
            let depth = self.rows.len();
            let forward = sweep % 2 == 0;
            for step in 1..depth {
                let layer = if forward { step } else { depth - 1 - step };
                let fixed = if forward { layer - 1 } else { layer + 1 };
                let place = self.places(fixed);
                let neighbours = if forward { &self.before } else { &self.behind };
                let row = &self.rows[layer];
                let middle = |(at, cell): (usize, &usize)| {
                    let places: Vec<f64> = neighbours[*cell].iter().map(|near| place[near] as f64).collect();
                    // One without neighbours stays about where it is.
                    let own = at as f64 / row.len() as f64 * self.rows[fixed].len() as f64;
                    (mean(&places).unwrap_or(own), at, *cell)
                };
                let mut sorted: Vec<_> = row.iter().enumerate().map(middle).collect();
                sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                self.rows[layer] = sorted.into_iter().map(|(_, _, cell)| cell).collect();
            }
            let crossings = self.crossings();
            if crossings < best.0 {
                best = (crossings, self.rows.clone());
            }
        }
        self.rows = best.1;
        let alone: Vec<bool> = (0..self.cells.len()).map(|cell| self.is_alone(cell)).collect();
        // Those that nothing leads to or from go to the end.
        self.rows.iter_mut().for_each(|row| row.sort_by_key(|cell| alone[*cell]));
    }

    fn is_alone(&self, cell: usize) -> bool {
        self.before[cell].is_empty() && self.behind[cell].is_empty()
    }

    fn places(&self, layer: usize) -> BTreeMap<usize, usize> {
        self.rows[layer].iter().enumerate().map(|(place, cell)| (*cell, place)).collect()
    }

    /// How many pairs of edges cross.
    fn crossings(&self) -> usize {
        (1..self.rows.len()).map(|layer| inversions(&self.ends(layer))).sum()
    }

    /// The edges into a layer, sorted by where they begin: where each ends.
    fn ends(&self, layer: usize) -> Vec<usize> {
        let place = self.places(layer);
        let mut ends = Vec::new();
        for cell in &self.rows[layer - 1] {
            let mut to: Vec<usize> = self.behind[*cell].iter().map(|cell| place[cell]).collect();
            to.sort_unstable();
            ends.extend(to);
        }
        ends
    }

    /// The middle of each cell, from the top: as near to its neighbours' as its layer's order allows.
    fn heights(&self) -> Vec<f64> {
        let mut y = vec![0.0; self.cells.len()];
        for row in &self.rows {
            let mut top = 0.0;
            for cell in row {
                let height = self.cells[*cell].height;
                y[*cell] = top + height / 2.0;
                top += height + NODE_GAP;
            }
        }
        for sweep in 0..SWEEPS {
            let depth = self.rows.len();
            for step in 0..depth {
                let layer = if sweep % 2 == 0 { step } else { depth - 1 - step };
                let wanted = |cell: &usize| {
                    let near = match sweep {
                        _ if sweep + 2 >= SWEEPS => [&self.before[*cell][..], &self.behind[*cell]].concat(),
                        _ if sweep % 2 == 0 => self.before[*cell].clone(),
                        _ => self.behind[*cell].clone(),
                    };
                    let middles: Vec<f64> = near.into_iter().map(|near| y[near]).collect();
                    mean(&middles).unwrap_or(y[*cell])
                };
                // Those that are alone stand at the end of their row.
                let alone = self.rows[layer].iter().rev().take_while(|cell| self.is_alone(**cell)).count();
                let (row, alone) = self.rows[layer].split_at(self.rows[layer].len() - alone);
                let wanted: Vec<f64> = row.iter().map(wanted).collect();
                self.settle(row, &wanted, &mut y);
                self.stack(row.last().copied(), alone, &mut y);
            }
        }
        let top = |cell: usize| y[cell] - self.cells[cell].height / 2.0;
        let highest = (0..y.len()).map(top).fold(f64::INFINITY, f64::min);
        y.iter().map(|middle| middle - highest).collect()
    }

    /// Puts cells below each other, the first one below `above`.
    fn stack(&self, above: Option<usize>, cells: &[usize], y: &mut [f64]) {
        let mut top = above.map_or(0.0, |above| y[above] + self.cells[above].height / 2.0 + NODE_GAP);
        for cell in cells {
            let height = self.cells[*cell].height;
            y[*cell] = top + height / 2.0;
            top += height + NODE_GAP;
        }
    }

    /// Gives the cells of a row the heights nearest to those wanted, by least squares, in which none of them
    /// overlap: neighbours that would are moved together (pool adjacent violators).
    fn settle(&self, row: &[usize], wanted: &[f64], y: &mut [f64]) {
        let mut offsets = Vec::with_capacity(row.len());
        let mut offset = 0.0;
        for (at, cell) in row.iter().enumerate() {
            if at > 0 {
                let both = self.cells[row[at - 1]].height + self.cells[*cell].height;
                offset += both / 2.0 + NODE_GAP;
            }
            offsets.push(offset);
        }
        // Blocks as sum and count.
        let mut blocks: Vec<(f64, usize)> = Vec::new();
        for (wanted, offset) in wanted.iter().zip(&offsets) {
            let mut block = (wanted - offset, 1);
            while let Some(last) = blocks.pop_if(|last| last.0 / last.1 as f64 > block.0 / block.1 as f64) {
                block = (block.0 + last.0, block.1 + last.1);
            }
            blocks.push(block);
        }
        let places =
            blocks.into_iter().flat_map(|(sum, count)| std::iter::repeat_n(sum / count as f64, count));
        for ((cell, offset), place) in row.iter().zip(&offsets).zip(places) {
            y[*cell] = place + offset;
        }
    }

    fn layout(&self, sizes: &[Size], links: &[(usize, usize)], y: &[f64]) -> Layout {
        let width_of = |row: &Vec<usize>| {
            let nodes = row.iter().filter_map(|cell| self.cells[*cell].node);
            nodes.map(|node| sizes[node].width).fold(0.0, f64::max)
        };
        let widths: Vec<f64> = self.rows.iter().map(width_of).collect();
        let mut left = Vec::with_capacity(widths.len());
        let mut x = 0.0;
        for width in &widths {
            left.push(x);
            x += width + LAYER_GAP;
        }
        let nodes: Vec<(f64, f64)> = sizes
            .iter()
            .enumerate()
            .map(|(node, size)| (left[self.cells[node].layer], (y[node] - size.height / 2.0).round()))
            .collect();
        let middle = |node: usize| nodes[node].1 + sizes[node].height / 2.0;
        let ways = links.iter().zip(&self.ways).map(|((from, to), way)| {
            let mut points = vec![(nodes[*from].0 + sizes[*from].width, middle(*from))];
            // It turns behind the widest node of its layer, so that it crosses none of them.
            let layer = self.cells[*from].layer;
            let behind = left[layer] + widths[layer];
            if behind > points[0].0 && self.cells[*to].layer > layer {
                points.push((behind, middle(*from)));
            }
            for cell in &way[1..way.len() - 1] {
                let layer = self.cells[*cell].layer;
                let height = y[*cell].round();
                points.push((left[layer], height));
                points.push((left[layer] + widths[layer], height));
            }
            points.push((nodes[*to].0, middle(*to)));
            points
        });
        let bottom = self.cells.iter().zip(y).map(|(cell, y)| y + cell.height / 2.0);
        Layout {
            width: (x - LAYER_GAP).max(0.0),
            height: bottom.fold(0.0, f64::max).ceil(),
            ways: ways.collect(),
            nodes,
        }
    }
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// How many pairs stand in the wrong order, by merging.
fn inversions(values: &[usize]) -> usize {
    fn sort(values: &mut Vec<usize>) -> usize {
        if values.len() < 2 {
            return 0;
        }
        let mut right = values.split_off(values.len() / 2);
        let mut count = sort(values) + sort(&mut right);
        let mut merged = Vec::with_capacity(values.len() + right.len());
        let (mut a, mut b) = (0, 0);
        while a < values.len() || b < right.len() {
            if b == right.len() || a < values.len() && values[a] <= right[b] {
                merged.push(values[a]);
                a += 1;
            } else {
                count += values.len() - a;
                merged.push(right[b]);
                b += 1;
            }
        }
        *values = merged;
        count
    }
    sort(&mut values.to_vec())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn size(is_last: bool) -> Size {
        Size { width: 100.0, height: 30.0, is_last, is_near: false }
    }

    #[test]
    fn each_node_stands_behind_what_it_needs() {
        let links = [(0, 1), (1, 2), (0, 2), (3, 2)];
        assert_eq!(layers(&[size(false); 5], &links), [0, 1, 2, 0, 0]);
        assert_eq!(layers(&[size(true); 5], &links), [0, 1, 2, 0, 2], "what nothing comes after is last");
    }

    #[test]
    fn helpers_stand_by_those_who_need_them() {
        let near = Size { is_near: true, ..size(false) };
        let sizes = [size(false), size(false), size(false), near, near, near];
        let links = [(0, 1), (1, 2), (3, 2), (4, 1), (4, 2), (0, 3)];
        assert_eq!(layers(&sizes, &links), [0, 1, 2, 1, 0, 0]);
        assert_eq!(layers(&sizes, &links[..4]), [0, 1, 2, 1, 0, 0]);
    }

    #[test]
    fn what_is_alone_stands_at_the_end_and_close() {
        // In the last layer: one that is alone, and two that are not.
        let sizes = [size(false), size(true), size(true), size(true)];
        let layout = lay_out(&sizes, &[(0, 2), (0, 3)]);
        assert_eq!(layout.nodes[1].1 - layout.nodes[3].1, 30.0 + NODE_GAP, "{layout:?}");
        assert!(layout.nodes[2].1 < layout.nodes[3].1);
    }

    #[test]
    fn edges_turn_behind_the_widest_of_their_layer() {
        let wide = Size { width: 160.0, ..size(false) };
        let layout = lay_out(&[size(false), wide, size(false), size(false)], &[(0, 3), (1, 2)]);
        let way = layout.ways.iter().find(|way| way[0].0 == 100.0).unwrap();
        assert_eq!(way[1], (160.0, way[0].1), "{layout:?}");
    }

    #[test]
    fn a_cycle_is_cut_somewhere() {
        assert_eq!(layers(&[size(false); 3], &[(0, 1), (1, 2), (2, 0), (1, 1)]), [0, 1, 2]);
        let layout = lay_out(&[size(false); 3], &[(0, 1), (1, 2), (2, 0)]);
        assert_eq!(layout.ways[2].len(), 2);
    }

    #[test]
    fn edges_that_need_not_cross_do_not() {
        let links = [(0, 5), (1, 4), (2, 3), (3, 8), (4, 7), (5, 6)];
        let sizes = [size(false); 9];
        let layer_of = layers(&sizes, &links);
        let mut grid = Grid::new(&sizes, &links, &layer_of);
        assert!(grid.crossings() > 0);
        grid.order();
        assert_eq!(grid.crossings(), 0);
    }

    #[test]
    fn a_chain_is_a_straight_line() {
        let layout = lay_out(&[size(false); 3], &[(0, 1), (1, 2)]);
        assert_eq!(layout.nodes, [(0.0, 0.0), (156.0, 0.0), (312.0, 0.0)]);
        assert_eq!(layout.ways, [vec![(100.0, 15.0), (156.0, 15.0)], vec![(256.0, 15.0), (312.0, 15.0)]]);
        assert_eq!((layout.width, layout.height), (412.0, 30.0));
        assert_eq!(lay_out(&[], &[]), Layout::default());
    }

    #[test]
    fn pairs_in_the_wrong_order_are_counted() {
        for (values, expected) in
            [(&[][..], 0), (&[1], 0), (&[1, 2, 2, 3], 0), (&[3, 2, 1], 3), (&[2, 0, 1, 3], 2)]
        {
            assert_eq!(inversions(values), expected, "{values:?}");
        }
    }

    proptest! {
        #[test]
        fn nodes_never_overlap(links in prop::collection::vec((0..12_usize, 0..12_usize), 0..30)) {
            let sizes: Vec<Size> = (0..12).map(|n| Size { width: 50.0 + n as f64, height: 20.0 + n as f64, is_last: n > 9, is_near: n == 3 }).collect();
            let layout = lay_out(&sizes, &links);
            prop_assert_eq!(&layout, &lay_out(&sizes, &links));
            for (a, (left, top)) in layout.nodes.iter().enumerate() {
                prop_assert!(*left >= 0.0 && *top >= 0.0 && left + sizes[a].width <= layout.width && top + sizes[a].height <= layout.height + 1.0);
                for (b, (x, y)) in layout.nodes.iter().enumerate().skip(a + 1) {
                    let apart = left + sizes[a].width < *x || x + sizes[b].width < *left || top + sizes[a].height < *y || y + sizes[b].height < *top;
                    prop_assert!(apart, "{a} and {b}");
                }
            }
        }
    }
}
