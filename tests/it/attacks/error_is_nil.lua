-- expect: error:runtime
-- note: an error object that is nil
error(nil)
