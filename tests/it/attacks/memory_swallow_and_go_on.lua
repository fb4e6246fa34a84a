-- expect: error:memory
-- note: pcall swallows the lack of memory
local keep, long = {}, string.rep("x", 100000)
while true do
  pcall(function() while true do keep[#keep + 1] = long .. #keep end end)
  keep[1] = nil
end
