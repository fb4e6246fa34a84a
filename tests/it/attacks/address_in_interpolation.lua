-- expect: ok:table
-- note: interpolation shows no address
local t = {} return `{t}`
