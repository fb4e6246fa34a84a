-- expect: error:runtime|ok:done
-- note: a coroutine resumes itself
local c c = coroutine.create(function() return coroutine.resume(c) end) coroutine.resume(c) return "done"
