-- expect: error:timeout|error:runtime
-- note: arithmetic metamethods call each other
local t t = setmetatable({}, {__add = function(a, b) return b + a end, __unm = function(a) return -a end})
return -(t + t)
