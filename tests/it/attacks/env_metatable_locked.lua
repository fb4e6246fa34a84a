-- expect: ok:locked
-- note: the metatable of the environment is out of reach
return tostring(getmetatable(_G))
