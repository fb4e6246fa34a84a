-- expect: error:timeout
-- note: repeat until false with an empty body
repeat until false
