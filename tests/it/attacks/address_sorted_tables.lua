-- expect: stable
-- note: tables as keys: no order that differs
local t = {} for i = 1, 10 do t[{}] = i end
local sum = 0 for _, v in pairs(t) do sum += v end return sum
