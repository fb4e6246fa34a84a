-- expect: ok:done
-- note: three times the memory is let go of, in pieces of which none stays
local long = string.rep("x", 200000)
for i = 1, 200 do local junk = long .. i end
return "done"
