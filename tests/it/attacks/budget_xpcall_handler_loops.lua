-- expect: error:timeout
-- note: the handler of the limit loops for ever
xpcall(function() while true do end end, function() while true do end end)
return "escaped"
