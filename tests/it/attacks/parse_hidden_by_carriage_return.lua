-- expect: error:syntax
-- note: a comment ends at a carriage return
-- quiet return @@REP(5000,"(")@@1@@REP(5000,")")@@
