-- expect: error:runtime|error:timeout
-- note: a long needle in a long hay
local s = string.rep("a", 65536)
while true do s:find(string.rep("a", 30000) .. "b", 1, true) end
