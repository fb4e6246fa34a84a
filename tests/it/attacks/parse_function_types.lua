-- expect: error:syntax|ok:1
-- note: a long chain of function types
type A = @@REP(20000,"()->")@@ () return 1
