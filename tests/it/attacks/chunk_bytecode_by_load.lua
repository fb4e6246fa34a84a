-- expect: ok:true
-- note: nothing that compiles is there
return tostring(load == nil and loadstring == nil and dofile == nil and require == nil)
