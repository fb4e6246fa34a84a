-- expect: error:runtime
-- note: a key that is a table with a hostile __tostring
return get(setmetatable({}, {__tostring = function() while true do end end}))
