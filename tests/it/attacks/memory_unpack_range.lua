-- expect: error:runtime|error:memory
-- note: unpack over a huge range
return select("#", table.unpack({}, 1, 1e8))
