-- expect: error:timeout|error:memory
-- note: long texts are put together over and over
local s = string.rep("x", 1000000)
while true do local t = s .. "y" end
