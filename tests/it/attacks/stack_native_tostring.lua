-- expect: error:runtime|error:timeout|ok:done
-- note: tostring within __tostring
local t t = setmetatable({}, {__tostring = function() return tostring(t) end})
pcall(tostring, t) return "done"
