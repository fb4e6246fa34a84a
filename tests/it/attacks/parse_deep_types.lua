-- expect: error:syntax|error:runtime|ok:1
-- note: deeply nested types
local a: @@REP(40000,"{")@@number@@REP(40000,"}")@@ = nil return 1
