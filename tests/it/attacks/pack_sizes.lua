-- expect: ok:done|error:runtime
-- note: sizes of packed texts
pcall(string.pack, "c2000000000", "") pcall(string.packsize, string.rep("c2000000000", 5)) pcall(string.unpack, "c4", "abc") return "done"
