-- expect: error:syntax
-- note: a chain of if expressions
return @@REP(10000,"if x then 1 else ")@@ 2
