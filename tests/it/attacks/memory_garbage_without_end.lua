-- expect: error:memory|error:timeout
-- note: texts are joined and let go of over and over: each is a step, and a long one
local long = string.rep("x", 1000000)
local n = 0
while true do n += 1 local junk = long .. n end
