-- expect: error:timeout
-- note: the callback of gsub loops
string.gsub("abc", ".", function() while true do end end)
