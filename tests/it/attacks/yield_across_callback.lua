-- expect: error:runtime|ok:done
-- note: yield out of a callback of gsub
local c = coroutine.create(function() string.gsub("a", ".", function() coroutine.yield() end) end)
local ok, e = coroutine.resume(c)
return ok and error("yielded") or "done"
