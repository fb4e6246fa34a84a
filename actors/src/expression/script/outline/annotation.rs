//! Types in a script's text: how far each reaches.

use crate::expression::script::token::{Kind, Token};

/// The index behind the type that begins at `at`.
pub(super) fn behind(tokens: &[Token<'_>], mut at: usize) -> usize {
    loop {
        at = behind_operand(tokens, at);
        match text(tokens, at) {
            "?" => {
                at += 1;
                if !is_link(text(tokens, at)) {
                    return at;
                }
                at += 1;
            }
            link if is_link(link) => at += 1,
            _ => return at,
        }
    }
}

fn is_link(text: &str) -> bool {
    matches!(text, "|" | "&" | "->")
}

fn text<'a>(tokens: &[Token<'a>], at: usize) -> &'a str {
    tokens.get(at).map_or("", |token| token.text)
}

fn behind_operand(tokens: &[Token<'_>], mut at: usize) -> usize {
    if is_link(text(tokens, at)) {
        at += 1;
    }
    if text(tokens, at) == "..." {
        at += 1;
    }
    match tokens.get(at).map(|token| (token.kind, token.text)) {
        Some((Kind::Symbol, "(" | "{" | "<")) => {
            let behind = behind_brackets(tokens, at);
            // The parameters of a generic function type follow its names.
            if text(tokens, at) == "<" && text(tokens, behind) == "(" {
                return behind_brackets(tokens, behind);
            }
            return behind;
        }
        Some((Kind::Name | Kind::Text | Kind::Number, _)) => at += 1,
        _ => return at,
    }
    while text(tokens, at) == "." {
        at += 2;
    }
    if matches!(text(tokens, at), "<") || text(tokens, at) == "(" && text(tokens, at - 1) == "typeof" {
        at = behind_brackets(tokens, at);
    }
    at.min(tokens.len())
}

/// The index behind the bracket that closes the one at `at`.
fn behind_brackets(tokens: &[Token<'_>], mut at: usize) -> usize {
    let mut depth = 0usize;
    while at < tokens.len() {
        match text(tokens, at) {
            "(" | "{" | "[" | "<" => depth += 1,
            ")" | "}" | "]" | ">" => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            break;
        }
    }
    at
}
