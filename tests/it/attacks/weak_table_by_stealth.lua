-- expect: ok:there
-- note: a table becomes weak behind the back of setmetatable, and waits for the collector
local metatable = {}
local seen = setmetatable({}, metatable)
metatable["__mo" .. "de"] = "v"
seen[1] = {}
for i = 1, 100 do local junk = string.rep("x", 50000) .. i end
return seen[1] and "there" or "gone"
