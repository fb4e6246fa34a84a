-- expect: error:syntax|ok:1
-- note: more locals than there are registers
@@REP(300,"local a ")@@ return 1
