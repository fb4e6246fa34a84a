-- expect: error:timeout
-- note: most of a long text is copied over and over
local long = string.rep("x", 100000)
while true do local rest = long:sub(2) end
