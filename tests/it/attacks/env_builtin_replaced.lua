-- expect: ok:clean
-- note: script A replaces library functions; B must not see it
pcall(function() math.floor = function() return 666 end end) pcall(rawset, math, "floor", 1) pcall(function() string.upper = nil end)
tostring = function() return "pwned" end
--@@script B
return math.floor(1.5) == 1 and ("a"):upper() == "A" and tostring(1) == "1" and "clean" or "LEAK"
