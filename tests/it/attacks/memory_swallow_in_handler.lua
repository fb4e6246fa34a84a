-- expect: error:memory
-- note: the handler of xpcall makes something else of the lack of memory
local keep = {}
local function fill() while true do keep[#keep + 1] = table.create(60000, 1) end end
while true do
  xpcall(fill, function() return "all is well" end)
  xpcall(error, function() fill() end)
  keep[1] = nil
end
