-- expect: error:syntax
-- note: deeply nested functions
@@REP(3000,"return function() ")@@@@REP(3000," end")@@
