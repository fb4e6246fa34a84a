-- expect: error:syntax|ok:1
-- note: a very long union type
type A = number@@REP(20000,"|A")@@ return 1
