-- expect: error:runtime
-- note: an error object that is a table
error({code = 1})
