-- expect: error:toolarge
-- note: a text beyond the limit
return 1 --@@REP(300000,"x")@@
