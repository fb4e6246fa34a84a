-- expect: ok:table
-- note: the compiler does not call the real tostring past its wrapper
local f = {} return tostring(f)
