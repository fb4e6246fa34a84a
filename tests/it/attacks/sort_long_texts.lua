-- expect: error:runtime|error:timeout|error:memory
-- note: sorting texts that begin alike
local t, s = {}, string.rep("x", 100000)
for i = 1, 50 do t[i] = s .. i end
for i = 51, 9999 do t[i] = t[i % 50 + 1] end
while true do table.sort(t) end
