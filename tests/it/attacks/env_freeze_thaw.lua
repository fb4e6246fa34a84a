-- expect: ok:safe
-- note: a frozen table stays frozen
local t = table.freeze({1})
return (pcall(rawset, t, 1, 2) or pcall(table.insert, t, 2) or pcall(table.move, {9}, 1, 1, 1, t)) and "BROKEN" or "safe"
