-- expect: error:syntax
-- note: a long chain of indices and calls
local a return a@@REP(40000,".b")@@
