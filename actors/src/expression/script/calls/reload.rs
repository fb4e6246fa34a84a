//! What changes for calls while they go on: the scripts themselves, and whether the clock has a say.

use super::{By, Calls, Timing};
use crate::expression::script::{Failure, Library, Script};
use engine::script::{Caller, Ended};

impl Timing {
    /// The line in which the call at `site` is to end, if it is.
    pub(super) fn end_of(&self, site: u32) -> Option<u32> {
        let is_it = |ended: &&Ended| ended.caller == Caller::Function && ended.call == site;
        self.expected.iter().find(is_it).map(|ended| ended.line)
    }

    /// Notes that the clock has ended the call at `site`.
    pub(super) fn note(&mut self, site: u32, line: u32) {
        self.ended.push(Ended { caller: Caller::Function, call: site, line });
    }
}

impl Calls {
    /// What the clock may do in this tick: end calls where it `is_timed`, and in any case those that are
    /// `expected` to end.
    pub fn time(&mut self, is_timed: bool, expected: &[Ended]) {
        self.scripts.iter_mut().for_each(|script| script.time(is_timed));
        self.timing.expected = expected.to_vec();
    }

    /// The calls that the clock has ended since this was last asked for, those that were expected among them.
    pub fn take_ended(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.timing.ended)
    }

    /// The scripts that are called now.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Goes over to another state of the same files, whose functions can take the place of those that are
    /// called. Of scripts whose text is another one nothing is remembered, neither answers nor offences; the
    /// sites that call them are passed to `mark`.
    ///
    /// # Errors
    /// What is wrong with a script; then all is as before.
    pub fn reload(&mut self, library: &Library, mut mark: impl FnMut(u32)) -> Result<(), Failure> {
        let changed = self.library.changed(library);
        let load = |index: &usize| {
            let file = &library.files[*index];
            Script::load(&file.name, file.text.as_bytes(), library.limits, self.view.clone())
        };
        let scripts = changed.iter().map(load).collect::<Result<Vec<_>, _>>()?;
        for (index, script) in changed.iter().zip(scripts) {
            self.scripts[*index] = script;
            self.offences.forget(*index, By::Functions);
        }
        self.library = library.clone();
        for site in 0..self.sites.len() as u32 {
            let owner = library.owners.get(self.sites[site as usize].function);
            if owner.is_some_and(|owner| changed.contains(owner)) {
                self.forget(site);
                mark(site);
            }
        }
        Ok(())
    }
}
