-- expect: error:timeout|error:runtime
-- note: each level of a ladder of pcalls swallows the limit
local function ladder(n)
  if n == 0 then while true do end end
  pcall(ladder, n - 1)
  while true do end
end
ladder(60)
