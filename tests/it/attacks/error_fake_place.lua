-- expect: error:runtime
-- note: an error that names another place
error("/etc/passwd:1: fake", 0)
