//! What a file consists of: whether of functions and constants alone, and names that it may not use.

use engine::diagnostic::Diagnostic;

use super::{Frame, Pass, is_assignment};
use crate::expression::script::token::{Kind, Token};

impl Pass<'_> {
    /// The index behind a constant that begins here: a number, a text, a truth value, something of a library
    /// by its name, or a frozen table of such. Where something else begins it is the one here.
    pub(super) fn behind_constant(&self) -> usize {
        let text = |at: usize| self.tokens.get(at).map_or("", |token| token.text);
        let kind = |at: usize| self.tokens.get(at).map(|token| token.kind);
        let mut at = self.at + usize::from(text(self.at) == "-");
        match kind(at) {
            Some(Kind::Number | Kind::Text) => at += 1,
            Some(Kind::Name) if text(at) == "function" => return self.at,
            Some(Kind::Name) => {
                at += 1;
                while text(at) == "." && kind(at + 1) == Some(Kind::Name) {
                    at += 2;
                }
                let is_frozen = (self.at..at).map(text).eq(["table", ".", "freeze"]);
                if is_frozen && (text(at), text(at + 1)) == ("(", "{") {
                    let is_flat = |token: &&Token<'_>| {
                        token.kind != Kind::TextOpen
                            && !matches!(token.text, "{" | "}" | "(" | ")" | "function")
                    };
                    at += 2 + self.tokens.iter().skip(at + 2).take_while(is_flat).count();
                    if (text(at), text(at + 1)) != ("}", ")") {
                        return self.at;
                    }
                    at += 2;
                }
            }
            _ => return self.at,
        }
        let ends = matches!(text(at), "" | "local" | "function" | "type" | "export" | ";" | "@");
        if ends { at } else { self.at }
    }

    /// Looks at a name that is used for what it may do.
    pub(super) fn heed(&mut self, begins: bool) {
        let (name, next) = (self.peek(0), self.peek(1));
        let assigns = is_assignment(next);
        let is_used = matches!(next, "." | "[") || begins && (assigns || next == ",");
        if is_used && name == "state" && self.functions == 0 && self.depth_of(name).is_none() {
            let message = "there is no `state` while the file is read: on_event and on_tick have it";
            let span = self.tokens[self.at].span();
            let help = "begin with something in there: `state.count = state.count or 0`";
            self.outline.problems.push(Diagnostic::error("script", span, message).with_help(help));
        }
        // In brackets it is an argument, or the name of an entry.
        let may_assign = assigns || next == ",";
        if may_assign && self.depth_of(name) == Some(0) && !matches!(self.frames.last(), Some(Frame::Bracket))
        {
            self.outline.is_plain = false;
        }
    }
}
