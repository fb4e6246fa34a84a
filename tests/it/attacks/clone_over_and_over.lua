-- expect: error:timeout|error:memory|error:runtime
-- note: large tables are cloned over and over
local t = table.create(60000, 1)
while true do local u = table.clone(t) end
