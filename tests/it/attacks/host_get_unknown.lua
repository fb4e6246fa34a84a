-- expect: error:runtime
-- note: a key that is not there
return get("nothing")
