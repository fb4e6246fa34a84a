-- expect: ok:done|error:runtime
-- note: sizes that are no sizes
string.rep("x", -1) pcall(string.rep, "x", 0/0) pcall(string.rep, "x", 1/0) return "done"
