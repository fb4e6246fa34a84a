-- expect: error:syntax
-- note: the brace of an escape is none
return `\u{41` .. @@REP(5000,"(")@@1@@REP(5000,")")@@ .. `}`
