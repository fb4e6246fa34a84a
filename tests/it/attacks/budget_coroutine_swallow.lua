-- expect: error:timeout
-- note: resume swallows the limit, over and over
while true do coroutine.resume(coroutine.create(function() while true do end end)) end
