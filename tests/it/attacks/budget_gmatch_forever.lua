-- expect: error:timeout
-- note: gmatch over many empty matches, again and again
local s = string.rep("a", 60000)
while true do for _ in string.gmatch(s, "b*") do end end
