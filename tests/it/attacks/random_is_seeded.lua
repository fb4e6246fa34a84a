-- expect: stable
-- note: random numbers repeat
return math.random() .. " " .. math.random(1, 1000000)
