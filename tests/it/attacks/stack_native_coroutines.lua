-- expect: error:runtime|error:timeout|error:memory|ok:done
-- note: coroutine within coroutine
local function deep() return coroutine.wrap(deep)() end
pcall(deep) return "done"
