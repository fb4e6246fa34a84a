-- expect: error:syntax
-- note: an escape that spans lines hides brackets from whoever takes a line's end for the text's
local s = "\z
" .. @@REP(5000,"(")@@1@@REP(5000,")")@@
return s
