-- expect: error:timeout|error:runtime
-- note: a comparator that never agrees with itself
local t = {} for i = 1, 9000 do t[i] = i end
local n = 0
while true do pcall(table.sort, t, function(a, b) n = n + 1 return n % 3 == 0 end) end
