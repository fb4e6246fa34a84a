-- expect: ok:true
-- note: nothing that reaches environments is there
return tostring(getfenv == nil and setfenv == nil and newproxy == nil and gcinfo == nil and collectgarbage == nil)
