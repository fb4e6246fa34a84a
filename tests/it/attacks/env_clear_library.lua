-- expect: ok:safe
-- note: clearing a library
return pcall(table.clear, string) and "TAMPERED" or "safe"
