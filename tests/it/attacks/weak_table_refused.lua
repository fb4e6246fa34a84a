-- expect: error:runtime
-- note: a weak table shows when the collector runs
local seen = setmetatable({}, { __mode = "v" })
seen[1] = {}
return seen[1] and "there" or "gone"
