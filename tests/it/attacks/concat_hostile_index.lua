-- expect: ok:safe|error:runtime
-- note: concat does not run metamethods without end
local t = setmetatable({}, {__index = function() while true do end end, __len = function() return 1e9 end})
return pcall(table.concat, t, ",", 1, 3) and "concat" or "safe"
