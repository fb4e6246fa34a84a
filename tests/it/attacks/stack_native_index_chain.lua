-- expect: error:runtime|error:memory|error:timeout|ok:nil
-- note: a chain of __index as long as memory
local t = {}
for i = 1, 20000 do t = setmetatable({}, {__index = t}) end
return tostring(t.x)
