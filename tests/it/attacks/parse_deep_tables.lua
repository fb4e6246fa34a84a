-- expect: error:syntax
-- note: deeply nested tables
return @@REP(50000,"{")@@@@REP(50000,"}")@@
