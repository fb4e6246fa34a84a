-- expect: error:syntax
-- note: interpolated texts within each other
return @@REP(20000,"`{")@@1@@REP(20000,"}`")@@
