-- expect: ok:function function
-- note: functions and threads have no address
return tostring(print or tostring) .. " " .. tostring(coroutine.create) 
