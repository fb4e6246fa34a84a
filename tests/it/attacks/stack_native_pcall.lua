-- expect: error:runtime|error:timeout|ok:deep
-- note: pcall within pcall within pcall
local function f(n) if n == 0 then return "deep" end local ok, r = pcall(f, n - 1) return r end
return tostring(f(100000)) == "deep" and "deep" or error("no")
