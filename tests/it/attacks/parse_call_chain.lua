-- expect: error:syntax
-- note: a long chain of calls with texts
local a return a@@REP(40000,"''")@@
