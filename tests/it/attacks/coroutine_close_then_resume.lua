-- expect: ok:done|error:runtime
-- note: close, then resume
local c = coroutine.create(function() coroutine.yield() end) coroutine.resume(c) coroutine.close(c) pcall(coroutine.resume, c) return "done"
