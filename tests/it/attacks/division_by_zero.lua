-- expect: ok:inf|error:runtime
-- note: plain Luau keeps its own arithmetic
return tostring(1 / 0)
