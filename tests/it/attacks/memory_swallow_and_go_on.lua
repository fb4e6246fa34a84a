-- expect: error:memory
-- note: pcall swallows the lack of memory
local keep = {}
while true do
  pcall(function() while true do keep[#keep + 1] = string.rep("x", 100000) .. #keep end end)
  keep[1] = nil
end
