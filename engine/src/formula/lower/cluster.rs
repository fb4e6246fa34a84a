//! Sums and products: as many operations as possible are computed in one expression, and checked once.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

use super::{LOCALS, Lowering, NIL, literal, trampoline};
use crate::formula::ir::{Arithmetic, Chain, Ir, Link, SiteIndex};

/// The most operands of one sum or product that are checked together.
const CLUSTER: usize = 24;

impl Lowering {
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
            if cluster.size + leaves(&link.operand) > CLUSTER {
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
            _ => ("/", Place::Divisor(link.site)),
        };
        let operand = self.operand(&link.operand, cluster, place);
        cluster.text = format!("{} {sign} {operand}", cluster.text);
    }

    /// An operand as an expression of the cluster. A sum in a sum is computed in one with it; a divisor is
    /// not, since an infinity in it would be lost.
    fn operand(&mut self, ir: &Ir, cluster: &mut Cluster, place: Place) -> String {
        cluster.size += 1;
        match (ir, place) {
            (Ir::Number(bits), Place::First | Place::Operand) => literal(bits.number()),
            (Ir::Number(bits), Place::Divisor(_)) if bits.number() != 0.0 => literal(bits.number()),
            (Ir::Chain(chain), Place::First | Place::Operand) if joins(chain, cluster) => {
                let outer = core::mem::take(&mut cluster.text);
                cluster.text = self.operand(&chain.first, cluster, Place::First);
                for link in &chain.links {
                    self.link(link, cluster);
                }
                let inner = core::mem::replace(&mut cluster.text, outer);
                format!("({inner})")
            }
            _ => {
                let at = cluster.next;
                let value = self.value(ir, at);
                if value == self.temporary_name(at) {
                    cluster.next += 1;
                }
                if let Place::Divisor(site) = place {
                    cluster.divisors.push((value.clone(), site));
                }
                if ir.may_be_nil() {
                    cluster.leaves.push(value.clone());
                }
                value
            }
        }
    }

    /// The name that a temporary has, without using it.
    fn temporary_name(&self, index: usize) -> String {
        match index.checked_sub(LOCALS) {
            None => format!("t{index}"),
            Some(spilled) => self.lane(self.layout.scratch(spilled)),
        }
    }

    /// Computes a cluster into the temporary at `at` and checks it.
    fn close(&mut self, cluster: Cluster, overflow: SiteIndex, at: usize) -> String {
        let target = self.temporary_name(at);
        if cluster.text == target {
            return target;
        }
        // The check below still needs the leaves.
        let into = if cluster.leaves.contains(&target) { at + 1 } else { at };
        let result = self.assign(into, &cluster.text);
        self.check(&result, into, &cluster, overflow);
        self.assign(at, &result)
    }

    /// What is not finite is an error if all leaves have a value, and without a value either way.
    fn check(&mut self, result: &str, at: usize, cluster: &Cluster, overflow: SiteIndex) {
        self.fails = true;
        let there: String =
            cluster.leaves.iter().fold(String::new(), |all, leaf| all + &format!(" and {leaf} == {leaf}"));
        let mut site = String::from("e =");
        if !cluster.divisors.is_empty() {
            site.push_str(" if");
            for (index, (divisor, site_of)) in cluster.divisors.iter().enumerate() {
                let keyword = if index > 0 { " elseif" } else { "" };
                let _ = write!(site, "{keyword} {divisor} == 0 then {}", site_of + 1);
            }
            site.push_str(" else");
        }
        let overflow = overflow + 1;
        self.emit(format_args!("if {result} - {result} ~= 0 then"));
        self.emit(format_args!("if e == 0{there} then {site} {overflow} end"));
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
            leaves: Vec::from([left.into(), right.clone()]),
            divisors: Vec::from([(right, link.site)]),
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
    /// What may be without a value.
    leaves: Vec<String>,
    divisors: Vec<(String, SiteIndex)>,
    /// How many operands its expression has.
    size: usize,
    /// The first free temporary.
    next: usize,
}

impl Cluster {
    /// One that starts with a result in a temporary.
    fn after(result: String, next: usize) -> Cluster {
        Cluster { text: result.clone(), leaves: Vec::from([result]), divisors: Vec::new(), size: 1, next }
    }
}

#[derive(Clone, Copy)]
enum Place {
    First,
    Operand,
    Divisor(SiteIndex),
}

/// Whether an inner chain can be computed together with the outer one.
fn joins(chain: &Chain, cluster: &Cluster) -> bool {
    let plain =
        chain.links.iter().all(|l| !matches!(l.arithmetic, Arithmetic::Modulo | Arithmetic::FloorDivide));
    let own = leaves(&chain.first) + chain.links.iter().map(|link| leaves(&link.operand)).sum::<usize>();
    plain && cluster.size + own <= CLUSTER
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
