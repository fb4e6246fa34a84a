-- expect: error:syntax
-- note: a long chain of powers
return 2@@REP(60000,"^2")@@
