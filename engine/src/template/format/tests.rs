use super::*;
use alloc::string::ToString;

fn check(format: &str, value: impl Into<Value>, expected: &str) {
    let mut out = String::from("|");
    let value = value.into();
    Format::parse(format, 0).unwrap().write(Some(&value), &mut out);
    assert_eq!(&out[1..], expected, "{value:?} as `{format}`");
}

#[test]
fn numbers() {
    for (format, n, expected) in [
        ("", 0.1, "0.1"),
        ("", -0.0, "0"),
        ("", 3.0, "3"),
        (".2f", 3.2416, "3.24"),
        (".0f", 41.7, "42"),
        (".2", 1.0, "1.00"),
        ("f", 1.5, "1.500000"),
        (".1f", -0.04, "0.0"),
        (".1f", -0.06, "-0.1"),
        ("d", 41.7, "42"),
        (">6", 42.0, "    42"),
        ("<6", 42.0, "42    "),
        ("^6", 42.0, "  42  "),
        ("^7", 42.0, "  42   "),
        ("*>6", 42.0, "****42"),
        ("\u{b7}<4", 1.0, "1\u{b7}\u{b7}\u{b7}"),
        ("6", 42.0, "    42"),
        ("05.1f", 3.1216, "003.1"),
        ("06.1f", -3.1216, "-003.1"),
        ("+.1f", 3.0, "+3.0"),
        ("+.1f", -3.0, "-3.0"),
        ("+05.1f", 3.0, "+03.0"),
        (",", 1_234_567.5, "1,234,567.5"),
        (",", 999.0, "999"),
        (",.0f", -1_234.5, "-1,234"),
        (",.0f", 1_000.0, "1,000"),
        ("%", 0.425, "42%"),
        (".1%", 0.4256, "42.6%"),
        ("6.1%", 0.5, " 50.0%"),
        ("F", 1.5, "1.500000"),
        ("s", 41.75, "41.75"),
        ("-.1f", 3.0, "3.0"),
        (" .1f", 3.0, " 3.0"),
        (" .1f", -3.0, "-3.0"),
        (" 06.1f", 3.0, " 003.0"),
        ("=8.1f", -3.0, "-    3.0"),
        ("*=+8.1f", 3.0, "+****3.0"),
        (">06", -42.0, "-00042"),
        ("_", 1_234_567.0, "1_234_567"),
        ("+,d", 12_345.0, "+12,345"),
        ("012,.2f", 1_234.5, "0,001,234.50"),
        ("012,.2f", -1_234.5, "-0,001,234.50"),
        ("011,.2f", 1_234.5, "0,001,234.50"),
        ("08,", 1_234.0, "0,001,234"),
        ("07,", 1_234.0, "001,234"),
        ("+06,", 12.0, "+0,012"),
        ("08,.2f", 0.0, "0,000.00"),
        ("03,", 1_234.0, "1,234"),
        ("09,.0%", 12.5, "0,001,250%"),
        ("012_x", 51_966.0, "00_0000_cafe"),
    ] {
        check(format, n, expected);
    }
}

#[test]
fn powers_of_ten() {
    for (format, n, expected) in [
        ("", 1e15, "1000000000000000"),
        ("", 1e16, "1e16"),
        ("", -1.5e300, "-1.5e300"),
        ("", 0.0001, "0.0001"),
        ("", 0.000_012, "1.2e-5"),
        ("", 5e-324, "5e-324"),
        ("e", 1_500.0, "1.5e3"),
        ("e", 0.0, "0e0"),
        ("e", -0.0, "0e0"),
        (".2e", 1_500.0, "1.50e3"),
        (".0e", 0.000_16, "2e-4"),
        ("E", -1_500.0, "-1.5E3"),
        ("+012.2e", 1_500.0, "+000001.50e3"),
        ("g", 0.1, "0.1"),
        ("g", 1_234_567.0, "1.23457e6"),
        ("g", 123_456.7, "123457"),
        ("g", 0.000_1, "0.0001"),
        ("g", 0.000_01, "1e-5"),
        ("g", 0.0, "0"),
        (".3g", 3.14259, "3.14"),
        (".3g", 2.0, "2"),
        (".3g", 1_234.0, "1.23e3"),
        (".3g", 999.6, "1e3"),
        (".0g", 41.7, "4e1"),
        (".2G", -1.5e300, "-1.5E300"),
        (".30g", 100.0, "100"),
    ] {
        check(format, n, expected);
    }
}

#[test]
fn other_bases() {
    for (format, n, expected) in [
        ("x", 255.0, "ff"),
        ("X", 255.0, "FF"),
        ("#x", 255.0, "0xff"),
        ("#X", 255.0, "0xFF"),
        ("#06x", 42.0, "0x002a"),
        ("#06x", -42.0, "-0x02a"),
        ("x", 41.7, "2a"),
        ("x", -0.4, "0"),
        ("o", 8.0, "10"),
        ("#o", 8.0, "0o10"),
        ("b", 10.0, "1010"),
        ("08b", 10.0, "00001010"),
        ("_x", 305_419_896.0, "1234_5678"),
        ("#_b", 255.0, "0b1111_1111"),
        ("x", 9_007_199_254_740_992.0, "20000000000000"),
        ("x", 1.8e19, "f9ccd8a1c5080000"),
        ("o", 36_893_488_147_419_103_232.0, "4000000000000000000000"),
        ("x", 1e30, "c9f2c9cd04675000000000000"),
    ] {
        check(format, n, expected);
    }
    let mut widest = String::new();
    Format::parse("b", 0).unwrap().write(Some(&Value::Number(f64::MAX)), &mut widest);
    assert_eq!(widest, "1".repeat(53) + &"0".repeat(971));
}

#[test]
fn prefixes_and_units() {
    for (format, n, expected) in [
        ("si", 0.0, "0"),
        ("si", 5.0, "5"),
        ("si", 999.0, "999"),
        ("si", 999.7, "1k"),
        ("si", 1_234.0, "1.23k"),
        ("si", 12_340.0, "12.3k"),
        ("si", 123_400.0, "123k"),
        ("si", 999_999.0, "1M"),
        ("si", -2_500_000.0, "-2.5M"),
        ("si", 0.005, "5m"),
        ("si", 0.000_012_3, "12.3\u{b5}"),
        ("si", 0.999_9, "1"),
        ("si", 1e30, "1000000Y"),
        (".1si", 999.96, "1.0k"),
        (".0si", 1_600.0, "2k"),
        ("bytes", 0.0, "0 B"),
        ("bytes", 512.0, "512 B"),
        ("bytes", 0.25, "0.25 B"),
        ("bytes", 1_024.0, "1 KiB"),
        ("bytes", 1_023.7, "1 KiB"),
        ("bytes", 1_536.0, "1.5 KiB"),
        ("bytes", 8_589_934_592.0, "8 GiB"),
        (".1bytes", 8_589_934_592.0, "8.0 GiB"),
        (">9bytes", 1_536.0, "  1.5 KiB"),
    ] {
        check(format, n, expected);
    }
}

#[test]
fn durations() {
    for (format, seconds, expected) in [
        ("duration", 0.0, "0s"),
        ("duration", 9.4, "9s"),
        (".1duration", 9.44, "9.4s"),
        ("duration", 59.4, "59s"),
        ("duration", 59.5, "1m 00s"),
        ("duration", 59.9, "1m 00s"),
        (".1duration", 59.4, "59.4s"),
        (".1duration", 59.6, "59.6s"),
        (".1duration", -59.6, "-59.6s"),
        (".1duration", 59.94, "59.9s"),
        (".1duration", 59.96, "1m 00s"),
        (".1duration", 60.0, "1m 00s"),
        (".30duration", 59.5, "59.500000000000000000000000000000s"),
        ("duration", 119.6, "2m 00s"),
        ("duration", 309.0, "5m 09s"),
        ("duration", 3_900.0, "1h 05m"),
        ("duration", 93_600.0, "1d 02h"),
        ("duration", -61.0, "-1m 01s"),
        ("duration", -0.2, "0s"),
        ("8duration", 61.0, "  1m 01s"),
        // 2^53 s, a second less than a whole day before it, and what is beyond.
        ("duration", 9_007_199_254_740_992.0, "104249991374d 07h"),
        ("duration", 9_007_199_254_713_599.0, "104249991373d 23h"),
        ("duration", 9_007_199_254_740_994.0, "9007199254740994s"),
        (".1duration", -1e300, "-1e300s"),
    ] {
        check(format, seconds, expected);
    }
}

#[test]
fn texts_truth_values_and_no_value() {
    check("", "hot", "hot");
    check("5", "hot", "hot  ");
    check(">5", "hot", "  hot");
    check(".2", "h\u{f6}t", "h\u{f6}");
    check("05", "hot", "hot  ");
    check(">3.1f", "\u{e4}\u{f6}", "  \u{e4}");
    check("", Value::Bool(true), "1");
    check("s", "hot", "hot");
    check("5s", "hot", "hot  ");
    check(".2s", "h\u{f6}t", "h\u{f6}");
    check(".2s", 41.7, "41");
    check("=5", "hot", "  hot");
    check("\u{b7}^5", "hot", "\u{b7}hot\u{b7}");
    for (format, expected) in
        [("", "\u{2013}"), ("4", "   \u{2013}"), ("<4.1f", "\u{2013}   "), ("05.1f", "    \u{2013}")]
    {
        let mut out = String::new();
        Format::parse(format, 0).unwrap().write(None, &mut out);
        assert_eq!(out, expected, "`{format}`");
    }
}

#[test]
fn formats_of_numbers() {
    for format in ["", "*^20.3s", ".2", "=5", "05", "-"] {
        assert!(!Format::parse(format, 0).unwrap().is_of_numbers(), "{format}");
    }
    for format in ["+", " .1", ",", "_", "#x", "f", "d", "bytes", "%"] {
        assert!(Format::parse(format, 0).unwrap().is_of_numbers(), "{format}");
    }
}

#[test]
fn wrong_formats() {
    const STYLES: &str = "formats end in f, d, e, g, x, o, b, s, %, si, bytes or duration, such as `>6.1f`";
    for (format, span, message, help) in [
        ("q", 10..11, "there is no format `q`", STYLES),
        (".2?", 12..13, "there is no format `?`", STYLES),
        (".1f,", 12..14, "there is no format `f,`", STYLES),
        ("%.1f", 10..14, "there is no format `%.1f`", "write it without the percent sign: `.1f`"),
        ("0.00", 11..14, "`.00` is no number of digits", "for 2 digits write `.2f`"),
        ("byte", 10..14, "there is no format `byte`", "did you mean `bytes`?"),
        (".f", 10..12, "the number of digits is missing after the point", "write for example `.1f`"),
        (">201", 11..14, "`201` is more than a result can be wide, which is 200", ""),
        (".31f", 11..13, "`31` is more than a result can be precise, which is 30", ""),
        (
            "6.2d",
            11..13,
            "the style `d` is for whole numbers, which have no digits behind the point",
            "for a decimal write for example `.1f`",
        ),
        (
            "#.1f",
            10..11,
            "`#` puts a prefix before the digits of `x`, `o` and `b`, and of no other style",
            "leave `#` out",
        ),
        (
            ",x",
            10..11,
            "digits of the style `x` are no groups of three",
            "write `_`, which groups them by four",
        ),
        (
            "+s",
            11..12,
            "the style `s` is for texts, which have neither signs nor groups of digits",
            "leave `s` out for a number",
        ),
    ] {
        let problem = Format::parse(format, 10).unwrap_err();
        assert_eq!(
            (problem.span, problem.message.as_str(), problem.help.unwrap_or_default().as_str()),
            (span, message, help)
        );
    }
    assert!(Format::parse(&(">".to_string() + &MAX_WIDTH.to_string()), 0).is_ok());
    assert!(Format::parse(".30f", 0).is_ok());
}

proptest::proptest! {
    #[test]
    fn any_number_in_any_format(n in proptest::num::f64::NORMAL | proptest::num::f64::ZERO, format in "([*\u{b7}]?[<>^=])?[+-]?0?[0-9]{0,2}(,?(\\.[0-9])?(f|e|E|g|%|si|bytes|duration)?|_?[doxXb])") {
        let mut out = String::new();
        let format = Format::parse(&format, 0).unwrap();
        format.write(Some(&Value::Number(n)), &mut out);
        assert!(out.chars().count() >= usize::from(format.width));
        assert!(!out.contains("inf") && !out.contains("NaN"), "{out}");
    }
}
