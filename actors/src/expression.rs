//! The expression actor: evaluates the formulas whose inputs changed and passes on what came out anew.

pub mod chunk;
pub mod script;
pub mod trial;

use std::collections::BTreeSet;
use std::sync::Arc;

use actix::{Actor, Context, Handler, Message, MessageResult, Recipient};
use engine::formula::{FormulaId, Problem, Site};
use engine::sample::{SourceId, SourceState};
use engine::tick::Tick;
use engine::value::Value;
use engine::window::{self, KeyFacts, Windows};

use crate::handle::{QueryValues, QueryWindows, Reported};
use crate::journal::{Fenced, Journal, Part};
use crate::panel::{self, Panel};
use crate::recording::Header;
use crate::ring::{self, Inputs, Records};
use crate::supervisor::fence::Pass;
use crate::supervisor::worker::Vitals;
use crate::telemetry::Telemetry;
use crate::telemetry::cost::Costs;
use crate::world::World;
use chunk::Evaluator;
use script::Library;
use script::calls::Calls;
use script::reads::Reads;
use script::{Offences, View};

/// A tick after evaluation.
#[derive(Clone, Debug, Message)]
#[rtype(result = "()")]
pub struct Evaluated {
    /// The tick's inputs.
    pub inputs: Inputs,
    /// The results that changed, by formula.
    pub changed: Arc<[(FormulaId, Option<Value>)]>,
}

/// The least time between two log lines about one failing formula, in milliseconds.
const LOGGED_EVERY_MS: u64 = 10_000;

/// The tick from which formulas are compiled to native code, a slice a tick: first frames come first.
const NATIVE_FROM: Tick = Tick(60);

/// Once in so many ticks one formula is timed.
const TIMED_EVERY: u64 = 4;

/// Memory and caches are looked at once in so many ticks.
const COUNTED_EVERY: u64 = 60;

/// What the actor has to be told to go on as if nothing had happened.
#[derive(Clone, Debug)]
pub struct Memory {
    evaluator: chunk::Memory,
    windows: window::Memory,
    keys: Vec<Option<Value>>,
    states: Vec<SourceState>,
    errors: Vec<Option<Arc<str>>>,
    quiet_until: Vec<Tick>,
    conditions: Vec<(FormulaId, bool)>,
}

/// What the actor has to do with those around it.
pub struct Surroundings {
    /// Time, for measuring.
    pub world: World,
    /// The core's journal.
    pub journal: Journal,
    /// Where it is recorded what the clock ended.
    pub records: Fenced<Records>,
    /// Whether the clock may end calls of scripts: in live runs alone, since no simulation would be the same.
    pub is_timed: bool,
    /// Which generation this is.
    pub pass: Pass,
    /// Its signs of life.
    pub vitals: Vitals,
    /// The next actor of the chain.
    pub next: Recipient<Evaluated>,
    /// How often scripts broke limits.
    pub offences: Offences,
    /// Counters.
    pub telemetry: Telemetry,
}

/// The actor of expressions.
pub struct ExpressionActor {
    around: Surroundings,
    panel: Arc<Panel>,
    evaluator: Evaluator,
    /// What formulas ask of the keys' pasts.
    windows: Windows,
    /// How many of their updates were counted.
    counted: u64,
    is_native: bool,
    /// The newest value of every declared key.
    keys: Vec<Option<Value>>,
    /// The newest states of the sources.
    states: Vec<SourceState>,
    /// Per formula: why it failed last, if it ever did.
    errors: Vec<Option<Arc<str>>>,
    /// Per formula: until when its failures are not logged.
    quiet_until: Vec<Tick>,
    /// Per formula: which named value it is.
    named: Vec<Option<usize>>,
    /// Per named value: the sources that it depends on.
    sources: Vec<Vec<SourceId>>,
    /// The conditions, and whether each held when that was last passed on. What is passed on of a condition
    /// is 1 or 0, since unlike a value it does not keep its last good result while it fails.
    conditions: Vec<(FormulaId, bool)>,
    /// Per formula: which of the conditions it is.
    condition_of: Vec<Option<usize>>,
    none: Arc<[(FormulaId, Option<Value>)]>,
    costs: Costs,
}

impl ExpressionActor {
    /// An actor that evaluates the panel's formulas. Keys begin with their defaults.
    ///
    /// # Errors
    /// Those of the Lua machine, which takes no configuration that was checked amiss.
    pub fn new(panel: Arc<Panel>, around: Surroundings) -> Result<ExpressionActor, chunk::Error> {
        let began = around.world.now();
        let mut evaluator =
            Evaluator::built(panel.program.clone(), &panel.code, panel.fps, &mut || around.vitals.beat())?;
        if !panel.scripts.functions.is_empty() {
            let keys = panel.keys.iter().map(|key| key.name.as_str());
            let values = panel.values.iter().map(|(name, _)| name.as_str());
            let sites = panel.program.script_calls().iter().map(|site| site.function);
            let kinds = panel.keys.iter().map(|key| Some(key.kind));
            let kinds = kinds.chain(panel.values.iter().map(|(_, id)| panel.program.kind(*id)));
            let view = View::new(keys, values, panel.fps).with_kinds(kinds);
            let calls = Calls::with(&panel.scripts, sites, view, panel.seed)?;
            let vitals = around.vitals.clone();
            let calls = calls.counting(around.offences.clone()).beating(move || vitals.beat());
            evaluator = evaluator.with_scripts(calls, panel.values.iter().map(|(_, id)| *id));
        }
        let took = around.world.now().saturating_sub(began);
        around.telemetry.formulas.compile.set(took.as_secs_f64());
        let keys: Vec<_> = panel.keys.iter().map(|key| key.default.clone()).collect();
        for (index, default) in keys.iter().enumerate() {
            evaluator.set_key(index, default.as_ref());
        }
        let visible = panel.scene.widgets.iter().filter_map(|widget| widget.visible);
        let conditions = panel.triggers.iter().filter_map(|trigger| trigger.when.formula()).chain(visible);
        let conditions: Vec<_> = conditions.map(|id| (id, false)).collect();
        let mut condition_of = vec![None; panel.program.len()];
        for (index, (id, _)) in conditions.iter().enumerate() {
            condition_of[id.0 as usize] = Some(index);
        }
        let mut named = vec![None; panel.program.len()];
        for (index, (_, id)) in panel.values.iter().enumerate() {
            named[id.0 as usize] = Some(index);
        }
        Ok(ExpressionActor {
            states: vec![SourceState::default(); panel.sources.len()],
            errors: vec![None; panel.program.len()],
            quiet_until: vec![Tick(0); panel.program.len()],
            named,
            sources: sources_behind(&panel, &panel.scripts),
            none: Arc::new([]),
            costs: Costs::new(labels(&panel), around.telemetry.formulas.costliest.clone()),
            is_native: false,
            windows: Windows::new(panel.program.derived(), &facts(&panel), panel.fps),
            counted: 0,
            around,
            panel,
            evaluator,
            keys,
            conditions,
            condition_of,
        })
    }

    /// Fills the windows with what is known from before the first tick.
    pub fn remember(&mut self, header: &Header) {
        if self.windows.is_empty() {
            return;
        }
        self.windows.advance(Tick(0), header.start_ms);
        for (index, key) in (0..).zip(&self.panel.keys) {
            for (timestamp_ms, number) in header.past.get(&key.name).into_iter().flatten() {
                self.windows.fill(index, *timestamp_ms, *number);
            }
            if let Some(newest_ms) = header.newest.get(&key.name) {
                let age_ms = header.start_ms.saturating_sub(*newest_ms).max(0).unsigned_abs();
                let ticks = i64::try_from(self.panel.fps.ticks_in(age_ms)).unwrap_or(i64::MAX);
                self.windows.arrive(index, -ticks);
            }
            self.around.vitals.beat();
        }
        self.counted = self.windows.updates();
    }

    /// Goes back to what an actor of the same panel knew.
    pub fn restore(&mut self, memory: &Memory) {
        self.evaluator.restore(&memory.evaluator);
        if let Some(library) = self.evaluator.script_library() {
            self.sources = sources_behind(&self.panel, &library);
        }
        self.windows.restore(&memory.windows);
        let Memory { keys, states, errors, quiet_until, conditions, .. } = memory.clone();
        (self.keys, self.states, self.errors) = (keys, states, errors);
        (self.quiet_until, self.conditions) = (quiet_until, conditions);
    }

    /// What it knows now, between two ticks.
    pub fn memory(&self) -> Memory {
        Memory {
            evaluator: self.evaluator.memory(),
            windows: self.windows.memory(),
            keys: self.keys.clone(),
            states: self.states.clone(),
            errors: self.errors.clone(),
            quiet_until: self.quiet_until.clone(),
            conditions: self.conditions.clone(),
        }
    }

    fn take(&mut self, inputs: &Inputs) {
        let sealed = &inputs.sealed;
        if !sealed.scripts.is_empty() {
            self.reload(inputs);
        }
        // What was computed before comes to the same again, however long it takes.
        self.evaluator.time_scripts(self.around.is_timed && !inputs.again, &sealed.ended);
        self.windows.advance(sealed.tick, sealed.now_ms);
        for sample in sealed.samples.iter() {
            let index = sample.key.0 as usize;
            // Keys that nobody declared stay in the ring; formulas cannot name them.
            let Some(key) = self.keys.get_mut(index) else { continue };
            self.evaluator.set_key(index, Some(&sample.value));
            self.windows.push(sample.key.0, sample.timestamp_ms, &sample.value);
            *key = Some(sample.value.clone());
        }
        for (source, state) in sealed.states.iter() {
            self.windows.set_state(*source, *state);
            if let Some(known) = self.states.get_mut(usize::from(source.0)) {
                *known = *state;
            }
        }
        self.windows.settle();
        for index in self.windows.changed() {
            let index = *index as usize;
            self.evaluator.set_derived(index, self.windows.value(index));
        }
    }

    /// Goes over to new texts of scripts. They were checked before they came, unless it was somebody's hand that
    /// wrote them into a recording.
    fn reload(&mut self, inputs: &Inputs) {
        let scripts = &inputs.sealed.scripts;
        let taken = self.evaluator.reload_scripts(scripts, &self.panel.used_functions());
        if let Ok(Some(library)) = &taken {
            self.sources = sources_behind(&self.panel, library);
        }
        for script in scripts.iter().filter(|_| !inputs.again) {
            match &taken {
                Ok(_) => tracing::info!(file = %script.file, "a script is another one from now on"),
                Err(error) => tracing::error!(file = %script.file, error, "a script stays as it was"),
            }
        }
    }

    fn evaluate(&mut self, inputs: &Inputs) -> Arc<[(FormulaId, Option<Value>)]> {
        let began = self.around.world.now();
        if let Err(error) = self.evaluator.run(inputs.sealed.tick) {
            tracing::error!(%error, "formulas were not evaluated");
        }
        let (journal, records, ended) =
            (&self.around.journal, &self.around.records, self.evaluator.take_ended());
        ring::tell_ended(journal, records, &self.around.pass, &inputs.sealed, &ended);
        self.around.telemetry.formulas.duration.record(self.around.world.now().saturating_sub(began));
        let mut changed = Vec::new();
        let values = self.evaluator.changed().filter(|id| self.condition_of[id.0 as usize].is_none());
        changed.extend(values.map(|id| (id, self.evaluator.value(id))));
        let bindings = changed.iter().filter(|(id, _)| self.named[id.0 as usize].is_none()).count();
        let computed = self.evaluator.computed().filter_map(|id| self.condition_of[id.0 as usize]);
        let mut computed: Vec<usize> = computed.collect();
        computed.sort_unstable();
        for index in computed {
            let (id, held) = &mut self.conditions[index];
            let holds = self.evaluator.holds(*id);
            if std::mem::replace(held, holds) != holds {
                changed.push((*id, Some(Value::Number(f64::from(u8::from(holds))))));
            }
        }
        let failed =
            self.evaluator.errors().map(|(id, site)| (id, self.problem(id, site), Some(site.clone())));
        let panics = self.panics().map(|(id, problem)| (id, problem, None));
        let failed: Vec<_> = failed.chain(panics).collect();
        if !self.evaluator.panics().is_empty() {
            self.around.telemetry.formulas.disabled.set(self.evaluator.disabled() as f64);
        }
        for (id, problem, site) in failed {
            self.fail(id, problem, site.as_ref(), inputs);
        }
        self.tell_of_scripts(inputs);
        if !inputs.again {
            self.around.telemetry.formulas.changed.increment(changed.len() as u64);
            self.around.telemetry.formulas.bindings.increment(bindings as u64);
        }
        if changed.is_empty() { self.none.clone() } else { changed.into() }
    }

    /// What is to be said of a formula that failed at a place.
    fn problem(&self, id: FormulaId, site: &Site) -> String {
        let said = (site.problem == Problem::Script).then(|| self.evaluator.script_problem(id)).flatten();
        said.map_or_else(|| site.problem.message(), |said| said.to_string())
    }

    /// Formulas that are switched off from now on.
    fn panics(&self) -> impl Iterator<Item = (FormulaId, String)> {
        let panics = self.evaluator.panics().iter();
        panics.map(|(id, text)| (*id, format!("it is switched off, by a defect of tinydisplay: {text}")))
    }

    /// What came of a tick that an earlier generation evaluated was logged and counted then.
    fn fail(&mut self, id: FormulaId, problem: String, site: Option<&Site>, inputs: &Inputs) {
        let (index, tick) = (id.0 as usize, inputs.sealed.tick);
        if tick >= self.quiet_until[index] {
            if !inputs.again {
                let text = self.panel.program.text(id);
                let formula = self.panel.program.name(id).unwrap_or(text);
                let help = site.and_then(|site| site.diagnostic(text).help);
                tracing::warn!(formula, problem, help, "a formula failed and keeps its last good result");
            }
            self.quiet_until[index] = tick + self.panel.fps.ticks_in(LOGGED_EVERY_MS);
        }
        self.errors[index] = Some(problem.into());
        let telemetry = &self.around.telemetry;
        match self.named[index] {
            _ if inputs.again => {}
            Some(value) => telemetry.value(value).errors.increment(1),
            None => telemetry.formulas.errors.increment(1),
        }
    }

    /// What failed in scripts is told with the formulas that called them; here, that one is switched off.
    fn tell_of_scripts(&mut self, inputs: &Inputs) {
        let failures = self.evaluator.take_script_failures();
        if failures.is_empty() || inputs.again {
            return;
        }
        let disabled = self.around.offences.disabled();
        for failure in failures.iter().filter(|failure| failure.trouble.is_offence()) {
            tracing::warn!(%failure, help = failure.help, disabled, "a script broke a limit");
        }
        self.around.telemetry.formulas.disabled.set((self.evaluator.disabled() + disabled) as f64);
    }

    /// Compiles a slice of the formulas. They give the same results, bit for bit, compiled or not, so a
    /// failure costs speed alone.
    fn compile(&mut self, inputs: &Inputs) {
        if self.is_native || inputs.again || inputs.sealed.tick < NATIVE_FROM {
            return;
        }
        let began = self.around.world.now();
        self.is_native = self.evaluator.compile_native_step(1).unwrap_or_else(|error| {
            tracing::warn!(%error, "formulas stay interpreted");
            true
        });
        let took = self.around.world.now().saturating_sub(began);
        self.around.telemetry.formulas.compile_native.increment(took.as_secs_f64());
    }

    /// Times one formula now and then. Virtual time has nothing to tell.
    fn time(&mut self, inputs: &Inputs) {
        if inputs.again {
            // An earlier generation has counted them.
            self.counted = self.windows.updates();
        }
        if self.around.world.is_simulated() || inputs.again {
            return;
        }
        let tick = inputs.sealed.tick;
        if tick.0.is_multiple_of(TIMED_EVERY)
            && let Some(formula) = self.costs.turn()
        {
            let began = self.around.world.now();
            // What fails here has failed, and was told, a moment ago.
            if self.evaluator.again(FormulaId(formula as u32)).unwrap_or(true) {
                self.costs.take(formula, self.around.world.now().saturating_sub(began));
            }
        }
        if tick.0.is_multiple_of(COUNTED_EVERY) {
            let telemetry = &self.around.telemetry.formulas;
            let (switched_off, script_bytes) =
                (self.around.offences.disabled(), self.evaluator.script_bytes());
            telemetry.memory.set((self.evaluator.used_bytes() + script_bytes) as f64);
            telemetry.texts.set(self.evaluator.lookups());
            telemetry.disabled.set((self.evaluator.disabled() + switched_off) as f64);
            telemetry.called.show(self.evaluator.script_calls());
            let telemetry = &self.around.telemetry.windows;
            let updates = self.windows.updates();
            telemetry.updates.increment(updates - std::mem::replace(&mut self.counted, updates));
            telemetry.memory.set(self.windows.bytes() as f64);
            telemetry.samples.set(self.windows.samples() as f64);
            telemetry.dropped.absolute(self.windows.dropped());
        }
    }

    fn export(&self, changed: &[(FormulaId, Option<Value>)]) {
        for (id, value) in changed {
            if let Some(index) = self.named[id.0 as usize] {
                self.around.telemetry.value(index).set(value.as_ref().and_then(Value::number));
            }
        }
    }

    fn state_of(&self, sources: impl Iterator<Item = SourceId>) -> SourceState {
        let states = sources.filter_map(|id| self.states.get(usize::from(id.0)).copied());
        states.max().unwrap_or(SourceState::Live)
    }

    fn report_value(&self, index: usize, name: &str, id: FormulaId) -> Reported {
        let sources = self.sources.get(index).into_iter().flatten().copied();
        Reported {
            name: name.into(),
            formula: Some(self.panel.program.text(id).into()),
            value: self.evaluator.value(id),
            error: self.evaluator.is_failing(id).then(|| {
                let own = self.errors[id.0 as usize].as_deref();
                own.unwrap_or("a value that it stands for has failed").into()
            }),
            state: self.state_of(sources),
            unit: "".into(),
        }
    }
}

/// By named value: the sources that it depends on, by way of scripts too.
fn sources_behind(panel: &Panel, scripts: &Library) -> Vec<Vec<SourceId>> {
    let keys = panel.keys.iter().map(|key| key.name.as_str());
    let reads = Reads::new(&panel.program, scripts, keys, &panel.values);
    let sources = |id| {
        let keys = reads.keys_of(id).into_iter();
        let sources: BTreeSet<_> = keys.filter_map(|key| Some(panel.keys.get(key)?.source)).collect();
        sources.into_iter().collect()
    };
    panel.values.iter().map(|(_, id)| sources(*id)).collect()
}

/// What windows have to know of the panel's keys.
fn facts(panel: &Panel) -> Vec<KeyFacts> {
    let fact = |key: &panel::Key| KeyFacts {
        source: Some(key.source),
        stale_after: key.stale_after.map(|after| panel.fps.ticks_in(after.as_millis() as u64)),
    };
    panel.keys.iter().map(fact).collect()
}

/// What formulas are called where they have no name: by their text.
fn labels(panel: &Panel) -> impl Iterator<Item = &str> {
    let formulas = (0..panel.program.len() as u32).map(FormulaId);
    formulas.map(|id| panel.program.name(id).unwrap_or(panel.program.text(id)))
}

impl Actor for ExpressionActor {
    type Context = Context<Self>;
}

impl Handler<Inputs> for ExpressionActor {
    type Result = ();

    fn handle(&mut self, inputs: Inputs, context: &mut Self::Context) {
        let vitals = self.around.vitals.clone();
        let Some(work) = vitals.take_up("expression.evaluate", context) else { return };
        self.take(&inputs);
        let Some(work) = vitals.go_on(work, "expression.evaluate.middle", context) else { return };
        let changed = self.evaluate(&inputs);
        self.export(&changed);
        self.compile(&inputs);
        self.time(&inputs);
        let (tick, checkpoint) = (inputs.sealed.tick, inputs.checkpoint);
        self.around.next.do_send(Evaluated { inputs, changed });
        let Some(_work) = vitals.go_on(work, "expression.evaluate.after", context) else { return };
        if checkpoint {
            let part = Part::Expression(Box::new(self.memory()));
            self.around.journal.give(&self.around.pass, tick, part);
        }
    }
}

impl Handler<QueryValues> for ExpressionActor {
    type Result = Vec<Reported>;

    fn handle(&mut self, _: QueryValues, _: &mut Self::Context) -> Vec<Reported> {
        let values = self.panel.values.iter().enumerate();
        let values = values.map(|(index, (name, id))| self.report_value(index, name, *id));
        let keys = self.panel.keys.iter().zip(&self.keys).map(|(key, value)| Reported {
            name: key.name.as_str().into(),
            formula: None,
            value: value.clone(),
            error: None,
            state: self.state_of([key.source].into_iter()),
            unit: key.unit.as_str().into(),
        });
        values.chain(keys).collect()
    }
}

impl Handler<QueryWindows> for ExpressionActor {
    type Result = MessageResult<QueryWindows>;

    fn handle(&mut self, _: QueryWindows, _: &mut Self::Context) -> Self::Result {
        MessageResult(self.windows.memory())
    }
}
