-- expect: error:runtime|error:memory|error:timeout
-- note: ever more arguments
local function f(...) return f(1, 2, 3, 4, 5, 6, 7, 8, ...) end
return f()
