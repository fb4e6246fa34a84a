-- expect: error:runtime|error:memory
-- note: table.create with a huge size
return #table.create(2^26, 1)
