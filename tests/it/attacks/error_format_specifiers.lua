-- expect: error:runtime
-- note: an error full of format specifiers
error("%s%n%d%p", 0)
