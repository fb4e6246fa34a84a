//! Faults: what goes wrong on purpose, to see that everything else goes on. A run has none unless its
//! [`Options`](crate::runtime::Options) say so, and then asks one `None` for each fail point.
//!
//! Fail points, each asked where the actor is about to do what the name says:
//!
//! | point | asked |
//! |---|---|
//! | `ring.seal`, `expression.evaluate`, `coordination.step`, `renderer.step`, `renderer.paint` | at every tick |
//! | the same with `.middle` (not of `renderer.step`) and `.after` | in the middle of it, and after it |
//! | `ring.arrive` | before it is looked into the ports between two ticks |
//! | `clock.tick` | before every tick |
//! | `source.emit`, `source.emitted` | before and after every reading |
//! | `writer.flush` | before every flush |
//! | `recorder.write` | before every tick that is written |
//! | `output.show` | before every picture |
//! | `http` | once a second |
//! | `ROLE.start`, `ROLE.stop` | at every start, and after every orderly end, of a worker of that role |

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use engine::hash;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The actor ends with an error.
    Error,
    /// The actor panics.
    Panic,
    /// The actor hangs for so long, or for ever: it blocks its thread; in a simulation it waits.
    Hang(Option<Duration>),
}

/// A fault at one moment.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The fail point.
    pub point: String,
    /// The actor; any where it is `None`.
    pub actor: Option<String>,
    /// How often an actor passes the point before: 0 strikes the first time.
    pub after: u64,
    /// What happens.
    pub fault: Fault,
}

/// A fault by chance.
#[derive(Clone, Debug)]
pub struct Chance {
    /// The fail point.
    pub point: String,
    /// How likely it is each time an actor passes the point: 0 to 1.
    pub probability: f64,
    /// What happens.
    pub fault: Fault,
}

/// The faults of a run. Clones share what was counted.
#[derive(Clone, Default)]
pub struct Faults {
    plan: Option<Arc<Plan>>,
    actor: Arc<str>,
}

/// A fault that has struck.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Strike {
    /// Which actor.
    pub actor: Arc<str>,
    /// At which fail point.
    pub point: String,
    /// What went wrong.
    pub fault: Fault,
}

#[derive(Default)]
struct Plan {
    rules: Vec<Rule>,
    seed: u64,
    chances: Vec<Chance>,
    past: Mutex<Past>,
}

#[derive(Default)]
struct Past {
    /// How often each actor has passed each point.
    passed: BTreeMap<(Arc<str>, String), u64>,
    struck: Vec<Strike>,
}

impl Faults {
    /// Faults at chosen moments.
    pub fn listed(rules: impl IntoIterator<Item = Rule>) -> Faults {
        Faults::planned(Plan { rules: rules.into_iter().collect(), ..Plan::default() })
    }

    /// Faults by chance: the same for the same seed, as long as actors do the same.
    pub fn seeded(seed: u64, chances: impl IntoIterator<Item = Chance>) -> Faults {
        Faults::planned(Plan { seed, chances: chances.into_iter().collect(), ..Plan::default() })
    }

    fn planned(plan: Plan) -> Faults {
        Faults { plan: Some(Arc::new(plan)), actor: "".into() }
    }

    /// The faults of the actor called `actor`.
    pub fn of(&self, actor: &Arc<str>) -> Faults {
        Faults { plan: self.plan.clone(), actor: actor.clone() }
    }

    /// What has gone wrong so far, in order.
    pub fn struck(&self) -> Vec<Strike> {
        self.plan.as_ref().map(|plan| plan.past().struck.clone()).unwrap_or_default()
    }

    /// What goes wrong at `point` this time.
    pub fn ask(&self, point: &str) -> Option<Fault> {
        let plan = self.plan.as_ref()?;
        let is_planned = plan.rules.iter().any(|rule| rule.point == point)
            || plan.chances.iter().any(|chance| chance.point == point);
        is_planned.then(|| plan.ask(&self.actor, point))?
    }
}

impl Plan {
    fn ask(&self, actor: &Arc<str>, point: &str) -> Option<Fault> {
        let passed = self.pass(actor, point);
        let is_due = |rule: &&Rule| {
            let is_meant = rule.actor.as_deref().is_none_or(|meant| meant == &**actor);
            is_meant && rule.point == point && rule.after == passed
        };
        let rule = self.rules.iter().find(is_due).map(|rule| rule.fault);
        let stream = hash::of(format!("{actor} {point}").as_bytes());
        let is_hit = |(index, chance): &(u64, &Chance)| {
            chance.point == point && hash::unit(self.seed, stream ^ index, passed) < chance.probability
        };
        let fault = rule.or_else(|| (0..).zip(&self.chances).find(is_hit).map(|(_, chance)| chance.fault))?;
        let strike = Strike { actor: actor.clone(), point: point.into(), fault };
        self.past().struck.push(strike);
        Some(fault)
    }

    fn pass(&self, actor: &Arc<str>, point: &str) -> u64 {
        let mut past = self.past();
        let count = past.passed.entry((actor.clone(), point.into())).or_default();
        *count += 1;
        *count - 1
    }

    fn past(&self) -> MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Faults of {:?}", self.actor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(faults: &Faults, point: &str, times: usize) -> Vec<usize> {
        (0..times).filter(|_| faults.ask(point).is_some()).collect()
    }

    #[test]
    fn listed_faults_strike_when_they_are_due() {
        let rule = |actor: Option<&str>, after| Rule {
            point: "source.emit".into(),
            actor: actor.map(Into::into),
            after,
            fault: Fault::Error,
        };
        let faults = Faults::listed([rule(None, 2), rule(Some("source.a"), 4)]);
        let (a, b) = (faults.of(&"source.a".into()), faults.of(&"source.b".into()));
        assert_eq!(ask(&a, "source.emit", 9), [2, 4]);
        assert_eq!(ask(&b, "source.emit", 9), [2], "actors are counted each by itself");
        assert_eq!(ask(&a, "source.start", 9), [0_usize; 0]);
        let struck: Vec<_> = faults.struck().into_iter().map(|strike| strike.actor).collect();
        assert_eq!(
            struck,
            ["source.a".into(), "source.a".into(), "source.b".into()],
            "it is known what struck"
        );
        assert_eq!(ask(&Faults::default(), "source.emit", 9), [0_usize; 0]);
    }

    #[test]
    fn seeded_faults_are_as_likely_as_said_and_repeat() {
        let chance = |probability| Chance { point: "ring.seal".into(), probability, fault: Fault::Panic };
        let strikes = |seed, probability, actor: &str| {
            let faults = Faults::seeded(seed, [chance(probability)]).of(&actor.into());
            ask(&faults, "ring.seal", 10_000)
        };
        assert_eq!(strikes(7, 0.0, "ring"), [0_usize; 0]);
        assert_eq!(strikes(7, 1.0, "ring").len(), 10_000);
        let some = strikes(7, 0.1, "ring");
        assert!((900..1_100).contains(&some.len()), "{}", some.len());
        assert_eq!(some, strikes(7, 0.1, "ring"));
        assert!(some != strikes(8, 0.1, "ring") && some != strikes(7, 0.1, "clock"));
    }
}
