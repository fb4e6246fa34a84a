-- expect: error:runtime
-- note: only handlers may act
set("x", 1)
