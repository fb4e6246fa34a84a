-- expect: error:runtime
-- note: an error that turns the terminal around
error("\u{202e}abc\u{2066}")
