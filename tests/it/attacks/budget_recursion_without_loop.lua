-- expect: error:timeout|error:runtime
-- note: exponential recursion without any loop
local function f(n) if n > 0 then f(n - 1) f(n - 1) end end
f(100)
