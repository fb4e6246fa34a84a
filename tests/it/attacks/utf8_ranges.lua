-- expect: ok:done|error:runtime
-- note: ranges of characters
pcall(utf8.codepoint, string.rep("a", 65000), 1, -1) pcall(utf8.char, 2^31) pcall(utf8.char, -1) return "done"
