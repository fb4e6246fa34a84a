-- expect: error:runtime|error:memory
-- note: table.concat of one long text many times
local s, t = string.rep("x", 500000), {}
for i = 1, 1000 do t[i] = s end
return #table.concat(t)
