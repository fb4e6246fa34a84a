-- expect: ok:done|error:runtime
-- note: shifts and fields beyond the word
pcall(bit32.lshift, 1, 1e9) pcall(bit32.extract, 1, 40, 5) pcall(bit32.replace, 0/0, 1, 2, 3) return "done"
