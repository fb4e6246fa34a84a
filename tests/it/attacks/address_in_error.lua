-- expect: stable
-- note: an error that mentions a table
local ok, e = pcall(function() return ({})() end) return e
