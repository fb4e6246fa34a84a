-- expect: error:syntax
-- note: deeply nested blocks
@@REP(20000,"do ")@@@@REP(20000," end")@@
