//! Where a script gets points at which it can be ended. Luau has them at calls and at the ends of loops alone, and an
//! operator can take milliseconds: it reads a number from a text of megabytes, or compares two of these. So only so
//! many may be computed from one point to the next. Where statements that follow each other have more, an empty loop
//! is put between two of them before they are compiled; a single one with more is refused.

use super::{Frame, Outline, Pass};
use crate::expression::script::token::Kind;

/// So many operators may have been computed when a pause comes.
const OPERATORS: usize = 32;

/// The most operators of one statement and those in it, of which no loop and no function is a part. Each takes a few
/// milliseconds at most.
pub(super) const OPERATORS_MAX: usize = 200;

/// Points at which a script can be ended, as a statement without a name that a script could change: so many that the
/// clock is looked at.
pub(super) const PAUSE: &str = "for _ = 1, 16 do end ";

/// How many operators may be computed from the last point on.
#[derive(Debug, Default)]
pub(super) struct Pauses {
    since: usize,
    /// By open bracket, block and function.
    open: Vec<Open>,
    places: Vec<usize>,
}

#[derive(Debug)]
struct Open {
    /// How many there are where nothing in it is computed but conditions.
    around: usize,
    /// The most that a branch comes to.
    most: usize,
}

impl Pauses {
    /// The places for pauses, ascending.
    pub(super) fn places(self) -> Vec<usize> {
        self.places
    }

    /// Something opens.
    pub(super) fn open(&mut self) {
        self.open.push(Open { around: self.since, most: 0 });
    }

    /// It closes.
    pub(super) fn close(&mut self, frame: Option<&Frame<'_>>) {
        let Some(Open { around, most }) = self.open.pop() else { return };
        self.since = match frame {
            Some(Frame::Function) => around,
            Some(Frame::Bracket | Frame::Choice) => self.since,
            _ => self.since.max(around).max(most),
        };
    }

    /// A condition was computed on which a block depends.
    pub(super) fn condition(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.around = self.since;
        }
    }

    /// Another branch begins.
    pub(super) fn branch(&mut self) {
        if let Some(open) = self.open.last_mut() {
            open.most = open.most.max(self.since);
            self.since = open.around;
        }
    }

    /// The body of a function begins: a call is a point.
    pub(super) fn call(&mut self) {
        self.since = 0;
    }
}

impl Pass<'_> {
    /// A statement may begin here.
    pub(super) fn pause(&mut self) {
        let is_statement = !matches!(self.frames.last(), Some(Frame::Bracket | Frame::Choice));
        if self.pauses.since < OPERATORS || !is_statement || self.kind(0) != Some(Kind::Name) {
            return;
        }
        let is_pausable = match self.peek(0) {
            // An attribute may stand before a function.
            "local" => self.peek(1) != "function",
            "if" | "while" | "repeat" | "for" => true,
            "do" => !matches!(self.frames.last(), Some(Frame::Loop(_))),
            "and" | "or" | "not" | "in" | "then" | "else" | "elseif" | "end" | "until" | "function"
            | "return" | "break" | "continue" | "export" | "type" => false,
            _ => true,
        };
        if is_pausable {
            self.pauses.places.push(self.tokens[self.at].at);
            self.pauses.since = 0;
        }
    }

    /// Counts operators that may be slow.
    pub(super) fn compute(&mut self, operators: usize) {
        self.pauses.since += operators;
        if self.pauses.since > OPERATORS_MAX {
            let message = format!(
                "this statement computes more than {OPERATORS_MAX} operators without a loop or function"
            );
            self.refuse(&message, "write it as several statements");
        }
    }

    /// Whether an operator reads numbers from texts, or compares texts, unless it stands between numbers.
    pub(super) fn is_slow(&self, symbol: &str) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let is_number = |kind| kind == Some(Kind::Number);
        let is_sign = match before {
            Some(token) if token.kind == Kind::Symbol => !matches!(token.text, ")" | "]" | "}" | "..."),
            Some(token) if token.kind == Kind::Name => {
                matches!(
                    token.text,
                    "return" | "and" | "or" | "not" | "if" | "elseif" | "else" | "then" | "in"
                )
            }
            Some(token) => matches!(token.kind, Kind::TextOpen | Kind::TextMiddle),
            None => true,
        };
        let is_written_out =
            is_number(self.kind(1)) && (is_sign || is_number(before.map(|token| token.kind)));
        let is_slow = matches!(
            symbol,
            "+" | "-"
                | "*"
                | "/"
                | "//"
                | "%"
                | "^"
                | "<"
                | "<="
                | ">"
                | ">="
                | "+="
                | "-="
                | "*="
                | "/="
                | "//="
                | "%="
                | "^="
        );
        is_slow && !is_written_out
    }
}

impl Outline {
    /// The text with its pauses, in the same lines; `None` where it needs none.
    pub(in crate::expression::script) fn paused(&self, text: &str) -> Option<String> {
        if self.pauses.is_empty() {
            return None;
        }
        let mut paused = String::with_capacity(text.len() + self.pauses.len() * PAUSE.len());
        let mut from = 0;
        for at in &self.pauses {
            paused.push_str(&text[from..*at]);
            paused.push_str(PAUSE);
            from = *at;
        }
        paused.push_str(&text[from..]);
        Some(paused)
    }
}
