-- expect: error:timeout|error:memory
-- note: comparing long texts over and over
local a, b = string.rep("x", 1000000), string.rep("x", 999999) .. "y"
local n = 0
while true do if a < b then n += 1 end end
