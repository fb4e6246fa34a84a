//! Sums and products: as many operations as possible are computed in one expression, and checked once.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::steps::{MAX_OPERANDS, Steps};
use super::{BLAME, Lowering, NIL, trampoline};
use crate::formula::ir::{Arithmetic, Chain, Ir, Link, SiteIndex};

impl Lowering<'_> {
    /// Operands are evaluated in order; the result is checked once for a whole cluster of operations.
    pub(super) fn chain(&mut self, chain: &Chain, at: usize) -> String {
        let mut cluster = Cluster { next: at + 2, ..Cluster::default() };
        cluster.text = self.operand(&chain.first, &mut cluster, Place::First);
        for link in &chain.links {
            if matches!(link.arithmetic, Arithmetic::Modulo | Arithmetic::FloorDivide) {
                let left = self.close(cluster, chain.overflow, at);
                let result = self.floored(link, &left, chain.overflow, at);
                cluster = Cluster::after(result, at + 2);
                continue;
            }
            if cluster.operands.len() + leaves(&link.operand) > MAX_OPERANDS {
                let left = self.close(cluster, chain.overflow, at);
                cluster = Cluster::after(left, at + 2);
            }
            self.link(link, &mut cluster);
        }
        self.close(cluster, chain.overflow, at)
    }

    /// Puts a link's operation around the cluster's expression.
    fn link(&mut self, link: &Link, cluster: &mut Cluster) {
        let (sign, place) = match link.arithmetic {
            Arithmetic::Add => ("+", Place::Operand),
            Arithmetic::Subtract => ("-", Place::Operand),
            Arithmetic::Multiply => ("*", Place::Operand),
            _ => ("/", Place::Divisor),
        };
        let operand = self.operand(&link.operand, cluster, place);
        cluster.steps.operation(link.arithmetic, link.site);
        cluster.divisions.extend((link.arithmetic == Arithmetic::Divide).then_some(link.site));
        cluster.text = format!("{} {sign} {operand}", cluster.text);
    }

    /// An operand as an expression of the cluster. A sum in a sum is computed in one with it; a divisor is
    /// not, since an infinity in it would be lost.
    fn operand(&mut self, ir: &Ir, cluster: &mut Cluster, place: Place) -> String {
        if let (Ir::Chain(chain), Place::First | Place::Operand) = (ir, place)
            && joins(chain, cluster)
        {
            let outer = core::mem::take(&mut cluster.text);
            cluster.text = self.operand(&chain.first, cluster, Place::First);
            for link in &chain.links {
                self.link(link, cluster);
            }
            let inner = core::mem::replace(&mut cluster.text, outer);
            return format!("({inner})");
        }
        let at = cluster.next;
        let value = self.value(ir, at);
        if value == self.temporary_name(at) {
            cluster.next += 1;
        }
        if ir.may_be_nil() {
            cluster.leaves.push(value.clone());
        }
        cluster.steps.operand();
        cluster.operands.push(value.clone());
        value
    }

    /// Computes a cluster into the temporary at `at` and checks it.
    fn close(&mut self, cluster: Cluster, overflow: SiteIndex, at: usize) -> String {
        let target = self.temporary_name(at);
        if cluster.text == target {
            return target;
        }
        // The check below still needs the operands.
        let into = if cluster.operands.contains(&target) { at + 1 } else { at };
        let result = self.assign(into, &cluster.text);
        self.check(&result, into, &cluster, overflow);
        self.assign(at, &result)
    }

    /// What is not finite has no value, and is an error if an operation failed.
    fn check(&mut self, result: &str, at: usize, cluster: &Cluster, overflow: SiteIndex) {
        self.fails = true;
        let overflow = overflow + 1;
        let (mut there, mut site) = (String::new(), format!("{overflow}"));
        match (cluster.operands.as_slice(), cluster.divisions.as_slice()) {
            // One operation fails where both sides have a value.
            ([_, right], divisions) => {
                there.extend(cluster.leaves.iter().map(|leaf| format!(" and {leaf} == {leaf}")));
                if let [division] = divisions {
                    site = format!("if {right} == 0 then {} else {overflow}", division + 1);
                }
            }
            (operands, _) => {
                let (steps, operands) = (cluster.steps.as_str(), operands.join(", "));
                site = format!("{BLAME}(\"{steps}\", {overflow}, {operands}) if e == 0 then e = nil end");
            }
        }
        self.emit(format_args!("if {result} - {result} ~= 0 then"));
        self.emit(format_args!("if not e{there} then e = {site} end"));
        self.assign(at, NIL);
        self.emit(format_args!("end"));
    }

    /// `a % b` or `a // b`; the left side is in the temporary at `at`.
    fn floored(&mut self, link: &Link, left: &str, overflow: SiteIndex, at: usize) -> String {
        let right = self.reusable(&link.operand, at + 2);
        if link.arithmetic == Arithmetic::Modulo {
            let result = self.assign(at, &format!("{}({left}, {right})", trampoline("mod", 2)));
            self.infinite(&result, at, (link.site, overflow));
            return result;
        }
        let result = self.assign(at + 1, &format!("floor({left} / {right})"));
        let cluster = Cluster {
            operands: Vec::from([left.into(), right.clone()]),
            leaves: Vec::from([left.into(), right]),
            divisions: Vec::from([link.site]),
            ..Cluster::default()
        };
        self.check(&result, at + 1, &cluster, overflow);
        self.assign(at, &result)
    }
}

/// Operations whose result is checked once.
#[derive(Default)]
struct Cluster {
    text: String,
    steps: Steps,
    operands: Vec<String>,
    /// The operands that may be without a value.
    leaves: Vec<String>,
    /// The sites of its divisions.
    divisions: Vec<SiteIndex>,
    /// The first free temporary.
    next: usize,
}

impl Cluster {
    /// One that starts with a result in a temporary.
    fn after(result: String, next: usize) -> Cluster {
        let mut steps = Steps::default();
        steps.operand();
        Cluster {
            text: result.clone(),
            steps,
            operands: Vec::from([result.clone()]),
            leaves: Vec::from([result]),
            next,
            ..Cluster::default()
        }
    }
}

#[derive(Clone, Copy)]
enum Place {
    First,
    Operand,
    Divisor,
}

/// Whether an inner chain can be computed together with the outer one.
fn joins(chain: &Chain, cluster: &Cluster) -> bool {
    let plain =
        chain.links.iter().all(|l| !matches!(l.arithmetic, Arithmetic::Modulo | Arithmetic::FloorDivide));
    let own = leaves(&chain.first) + chain.links.iter().map(|link| leaves(&link.operand)).sum::<usize>();
    plain && cluster.operands.len() + own <= MAX_OPERANDS
}

/// How many operands an expression adds to a cluster, at most.
fn leaves(ir: &Ir) -> usize {
    match ir {
        Ir::Chain(chain) => {
            leaves(&chain.first) + chain.links.iter().map(|link| leaves(&link.operand)).sum::<usize>()
        }
        _ => 1,
    }
}
