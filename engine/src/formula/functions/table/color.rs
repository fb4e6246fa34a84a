//! Colours.

use super::{BLANK, EVERYWHERE, call};
use crate::formula::functions::{Category, Function, Parameter, Rule, Textual, colors, texts};
use crate::formula::typing::Type;

const COLOR: Function = Function { category: Category::Colors, result: Type::Color, ..BLANK };

pub(super) const ALL: [Function; 5] = [
    Function {
        name: "rgb",
        signature: "rgb(red, green, blue[, alpha])",
        description: "A colour from its parts, 0 to 255 each, and its alpha, 0 to 1",
        example: "rgb(255, 136, 0)",
        example_result: "#ff8800",
        min_arguments: 3,
        max_arguments: Some(4),
        rule: call(EVERYWHERE, colors::rgb),
        ..COLOR
    },
    Function {
        name: "hsl",
        signature: "hsl(hue, saturation, lightness[, alpha])",
        description: "A colour from its hue in degrees, its saturation and lightness, 0 to 100 each, and its alpha, 0 to 1",
        example: "hsl(120, 100, 25)",
        example_result: "#008000",
        min_arguments: 3,
        max_arguments: Some(4),
        rule: call(EVERYWHERE, colors::hsl),
        ..COLOR
    },
    Function {
        name: "mix",
        signature: "mix(a, b, amount)",
        description: "The colour between a (at 0) and b (at 1)",
        example: "mix('#0000ff', '#ff0000', 0.5)",
        example_result: "#80007f",
        min_arguments: 3,
        max_arguments: Some(3),
        parameters: &[Parameter::Color, Parameter::Color, Parameter::Number],
        rule: call(EVERYWHERE, colors::mix),
        ..COLOR
    },
    Function {
        name: "alpha",
        signature: "alpha(color, alpha)",
        description: "The colour with another alpha, 0 (invisible) to 1 (opaque)",
        example: "alpha('tomato', 0.5)",
        example_result: "#ff634780",
        min_arguments: 2,
        max_arguments: Some(2),
        parameters: &[Parameter::Color, Parameter::Number],
        rule: call(EVERYWHERE, colors::alpha),
        ..COLOR
    },
    Function {
        name: "color",
        aliases: &["colour"],
        signature: "color(text)",
        description: "The colour that the text says, such as '#f80', '#ff8800' or 'orange'; an error where it says none",
        example: "color('orange')",
        example_result: "#ffa500",
        parameters: &[Parameter::Text],
        rule: Rule::Textual(Textual { eval: texts::color, domain: "the text is not a colour" }),
        ..COLOR
    },
];
