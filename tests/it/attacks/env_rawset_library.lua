-- expect: ok:safe
-- note: rawset on a library
return pcall(rawset, table, "insert", 1) and "TAMPERED" or "safe"
