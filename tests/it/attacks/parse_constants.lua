-- expect: ok:50000|error:syntax
-- note: a table of 50,000 constants
return #{@@REP(50000,"1,")@@}
