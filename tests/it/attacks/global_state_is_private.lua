-- expect: ok:clean
-- note: script A fills the memory; B must not suffer
local t = {} while true do t[#t + 1] = string.rep("x", 1000) .. #t end
--@@script B
return #string.rep("x", 1000000) == 1000000 and "clean" or "LEAK"
