-- expect: error:memory|error:timeout
-- note: doubling by concatenation, caught
local s = "x"
while true do local ok = pcall(function() s = s .. s end) if not ok then s = "x" end end
