-- expect: ok:done|error:runtime
-- note: huge widths and precisions
pcall(string.format, "%999999d", 1) pcall(string.format, "%.999999f", 1) return "done"
