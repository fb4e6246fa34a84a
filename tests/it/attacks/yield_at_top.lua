-- expect: error:runtime
-- note: yield outside of a coroutine
coroutine.yield(1)
