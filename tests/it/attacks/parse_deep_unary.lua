-- expect: error:syntax
-- note: a long chain of not
return @@REP(60000,"not ")@@ 1
