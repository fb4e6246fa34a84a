//! What is assigned to.

use std::ops::Range;

use engine::diagnostic::Diagnostic;

use super::Pass;

impl Pass<'_> {
    /// The names that an assignment here would be to. Those in brackets that are closed are forgotten.
    pub(super) fn take_targets(&mut self) -> Vec<Range<usize>> {
        let depth = self.frames.len();
        let mut here = Vec::new();
        while let Some((span, frames)) = self.targets.pop_if(|(_, frames)| *frames >= depth) {
            if frames == depth {
                here.push(span);
            }
        }
        here.reverse();
        here
    }

    pub(super) fn comma(&mut self) {
        let depth = self.frames.len();
        let is_list = self.targets.last().is_some_and(|(_, frames)| *frames == depth);
        self.operand_next(true);
        if is_list && self.is_name(0) {
            self.targets.push((self.tokens[self.at].span(), depth));
        }
    }

    /// Something is assigned to the name at `span`, or into what it stands for.
    pub(super) fn assign(&mut self, span: Range<usize>) {
        let name = &self.text[span.clone()];
        if self.functions > 0 && self.depth_of(name) == Some(0) {
            let message = format!(
                "`{name}` is declared outside of functions, and a function changes it: that would be forgotten"
            );
            let help = format!(
                "keep what has to last in `state.{name}`, or declare `{name}` inside of the function"
            );
            self.outline.warnings.push(Diagnostic::warning("lost-state", span, message).with_help(help));
        }
    }
}

pub(super) fn is_assignment(symbol: &str) -> bool {
    matches!(symbol, "=" | "+=" | "-=" | "*=" | "/=" | "//=" | "%=" | "^=" | "..=")
}
