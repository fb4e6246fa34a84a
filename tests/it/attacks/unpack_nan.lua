-- expect: error:runtime
-- note: a range that is no range
return table.unpack({1}, 0/0, 5)
