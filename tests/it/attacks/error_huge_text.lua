-- expect: error:runtime
-- note: a very long error
error(string.rep("x", 1000000))
