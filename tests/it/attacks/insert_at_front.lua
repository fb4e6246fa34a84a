-- expect: error:timeout|error:memory|error:runtime
-- note: elements are put in front over and over
local t = table.create(60000, 1)
while true do table.insert(t, 1, 0) table.remove(t, 1) end
