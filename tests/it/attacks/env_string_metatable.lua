-- expect: ok:locked
-- note: the metatable of texts is out of reach
return tostring(getmetatable("abc"))
