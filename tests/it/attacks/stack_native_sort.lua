-- expect: error:runtime|error:timeout|ok:done
-- note: sort within the comparator of sort
local function deep() table.sort({3, 2, 1}, function(a, b) deep() return a < b end) end
pcall(deep) return "done"
