-- expect: error:runtime|error:timeout
-- note: the method form goes the same way as the function
local s = string.rep("a", 1000000)
return tostring(s:find("a*a*a*a*b"))
