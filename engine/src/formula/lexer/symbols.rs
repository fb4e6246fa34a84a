//! Symbols: this language's, and those of others and of typography that are read as what was meant.

use alloc::format;

use super::{Foreign, Lexer, TokenKind};
use crate::diagnostic::Diagnostic;
use crate::formula::ast::{Comparison, Operator, Span};

const fn compare(comparison: Comparison) -> TokenKind {
    TokenKind::Compare(comparison)
}

const fn operator(operator: Operator) -> TokenKind {
    TokenKind::Operator(operator)
}

static SYMBOLS: [(&str, TokenKind); 22] = [
    ("..", operator(Operator::Join)),
    ("**", TokenKind::Power),
    ("//", operator(Operator::FloorDivide)),
    ("<=", compare(Comparison::LessOrEqual)),
    (">=", compare(Comparison::GreaterOrEqual)),
    ("==", compare(Comparison::Equal)),
    ("!=", compare(Comparison::NotEqual)),
    ("~=", compare(Comparison::NotEqual)),
    ("&&", operator(Operator::And)),
    ("||", operator(Operator::Or)),
    ("+", operator(Operator::Add)),
    ("-", operator(Operator::Subtract)),
    ("*", operator(Operator::Multiply)),
    ("/", operator(Operator::Divide)),
    ("%", operator(Operator::Modulo)),
    ("^", TokenKind::Power),
    ("<", compare(Comparison::Less)),
    (">", compare(Comparison::Greater)),
    ("!", TokenKind::Bang),
    ("(", TokenKind::Open),
    (")", TokenKind::Close),
    (",", TokenKind::Comma),
];

/// Symbols of other languages and of typography, and what they are read as.
static FOREIGN: [(&str, TokenKind); 54] = [
    ("===", compare(Comparison::Equal)),
    ("!==", compare(Comparison::NotEqual)),
    ("<>", compare(Comparison::NotEqual)),
    ("^^", compare(Comparison::NotEqual)),
    ("=<", compare(Comparison::LessOrEqual)),
    ("=>", compare(Comparison::GreaterOrEqual)),
    (":=", compare(Comparison::Equal)),
    ("=", compare(Comparison::Equal)),
    ("&", operator(Operator::And)),
    ("|", operator(Operator::Or)),
    ("~", TokenKind::Bang),
    ("\u{ac}", TokenKind::Bang),
    ("\u{2227}", operator(Operator::And)),
    ("\u{2228}", operator(Operator::Or)),
    ("\u{d7}", operator(Operator::Multiply)),
    ("\u{b7}", operator(Operator::Multiply)),
    ("\u{22c5}", operator(Operator::Multiply)),
    ("\u{2217}", operator(Operator::Multiply)),
    ("\u{f7}", operator(Operator::Divide)),
    ("\u{2215}", operator(Operator::Divide)),
    ("\u{2044}", operator(Operator::Divide)),
    ("\u{2212}", operator(Operator::Subtract)),
    ("\u{2013}", operator(Operator::Subtract)),
    ("\u{2014}", operator(Operator::Subtract)),
    ("\u{2264}", compare(Comparison::LessOrEqual)),
    ("\u{2265}", compare(Comparison::GreaterOrEqual)),
    ("\u{2260}", compare(Comparison::NotEqual)),
    ("\u{ff08}", TokenKind::Open),
    ("\u{ff09}", TokenKind::Close),
    ("\u{ff0c}", TokenKind::Comma),
    ("?", TokenKind::Foreign(Foreign::Question)),
    ("??", TokenKind::Foreign(Foreign::Coalesce)),
    ("?:", TokenKind::Foreign(Foreign::Coalesce)),
    (":", TokenKind::Foreign(Foreign::Colon)),
    (";", TokenKind::Foreign(Foreign::Semicolon)),
    (".", TokenKind::Foreign(Foreign::Dot)),
    ("[", TokenKind::Foreign(Foreign::OpenBracket)),
    ("]", TokenKind::Foreign(Foreign::CloseBracket)),
    ("{", TokenKind::Foreign(Foreign::OpenBrace)),
    ("}", TokenKind::Foreign(Foreign::CloseBrace)),
    ("$", TokenKind::Foreign(Foreign::Sigil)),
    ("@", TokenKind::Foreign(Foreign::Sigil)),
    ("+=", TokenKind::Foreign(Foreign::Assign(Operator::Add))),
    ("-=", TokenKind::Foreign(Foreign::Assign(Operator::Subtract))),
    ("*=", TokenKind::Foreign(Foreign::Assign(Operator::Multiply))),
    ("/=", TokenKind::Foreign(Foreign::Assign(Operator::Divide))),
    ("%=", TokenKind::Foreign(Foreign::Assign(Operator::Modulo))),
    ("..=", TokenKind::Foreign(Foreign::Assign(Operator::Join))),
    ("\u{221a}", TokenKind::Foreign(Foreign::Root)),
    ("<<", TokenKind::Broken),
    (">>", TokenKind::Broken),
    ("\u{2248}", TokenKind::Broken),
    ("\u{221e}", TokenKind::Broken),
    ("\u{b0}", TokenKind::Broken),
];

/// Quotes of typography, and what ends a text that begins with them.
pub(super) static CURLY_QUOTES: [(char, &[char]); 9] = [
    ('\u{201c}', &['\u{201d}', '\u{201c}', '"']),
    ('\u{201d}', &['\u{201d}', '\u{201c}', '"']),
    ('\u{201e}', &['\u{201d}', '\u{201c}', '"']),
    ('\u{2018}', &['\u{2019}', '\u{2018}', '\'']),
    ('\u{2019}', &['\u{2019}', '\u{2018}', '\'']),
    ('\u{201a}', &['\u{2019}', '\u{2018}', '\'']),
    ('\u{ab}', &['\u{bb}']),
    ('\u{bb}', &['\u{ab}', '\u{bb}']),
    ('\u{b4}', &['\u{b4}', '`', '\'']),
];

/// The digit that `c` is a raised form of.
pub(super) fn raised(c: char) -> Option<u8> {
    Some(match c {
        '\u{b9}' => 1,
        '\u{b2}' => 2,
        '\u{b3}' => 3,
        '\u{2074}' => 4,
        '\u{2075}' => 5,
        '\u{2076}' => 6,
        '\u{2077}' => 7,
        '\u{2078}' => 8,
        '\u{2079}' => 9,
        _ => return None,
    })
}

impl Lexer<'_> {
    pub(super) fn symbol(&mut self, first: char) -> (TokenKind, bool) {
        let start = self.at;
        let rest = self.rest();
        let longest = |known: &[(&'static str, TokenKind)]| {
            let fitting = known.iter().filter(|(symbol, _)| rest.starts_with(symbol));
            fitting.max_by_key(|(symbol, _)| symbol.len()).cloned()
        };
        let (own, foreign) = (longest(&SYMBOLS), longest(&FOREIGN));
        // The longer one counts: `===` is foreign, `==` is not, `=` is again.
        let length = |found: &Option<(&str, TokenKind)>| found.as_ref().map_or(0, |(symbol, _)| symbol.len());
        let is_foreign = length(&foreign) > length(&own);
        let Some((symbol, kind)) = (if is_foreign { foreign } else { own }) else {
            self.at += first.len_utf8();
            return (self.unexpected(first, start..self.at), false);
        };
        self.at += symbol.len();
        if kind == TokenKind::Broken {
            return (self.no_symbol(symbol, start..self.at), true);
        }
        (kind, is_foreign)
    }

    /// Symbols that are read as nothing here.
    fn no_symbol(&mut self, symbol: &str, span: Span) -> TokenKind {
        let help = match symbol {
            "<<" => "to multiply by a power of 2, write `a * 2 ^ b`",
            ">>" => "to divide by a power of 2, write `a // 2 ^ b`",
            "\u{2248}" => "write `approx(a, b)`",
            "\u{221e}" => "no number here is infinite: leave the limit out",
            _ => "numbers have no units but those of time: leave it out",
        };
        let error = Diagnostic::error("foreign-operator", span, format!("`{symbol}` is no operator here"));
        self.report(error.with_help(help))
    }

    fn unexpected(&mut self, c: char, span: Span) -> TokenKind {
        let invisible = matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        let shown = match c {
            _ if invisible => format!("U+{:04X}", u32::from(c)),
            c if c.is_control() => format!("{}", c.escape_default()),
            c => format!("{c}"),
        };
        let message = format!("the character `{shown}` has no place in a formula");
        let error = Diagnostic::error("unexpected-character", span, message);
        let help = match c {
            _ if invisible => "it cannot be seen: delete it, or write the formula anew",
            '\\' => "a name with such characters stands in backquotes; to divide, write `/`",
            _ => return self.report(error),
        };
        self.report(error.with_help(help))
    }
}
