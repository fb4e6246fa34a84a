-- expect: error:timeout
-- note: after the limit, code without loops goes on in pcalls
pcall(function() while true do end end)
local n = 0
@@REP(200,"pcall(function() n = n + 1 end) ")@@
return n
