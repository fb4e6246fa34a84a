-- expect: error:memory
-- note: a coroutine dies of it and another is made
local keep = {}
while true do
  coroutine.resume(coroutine.create(function() while true do keep[#keep + 1] = table.create(60000, 1) end end))
end
