-- expect: error:timeout|error:runtime
-- note: (.-)(.-)(.-) with no end
local s = string.rep("a", 4000)
return tostring(string.match(s, string.rep("(.-)", 12) .. "b"))
