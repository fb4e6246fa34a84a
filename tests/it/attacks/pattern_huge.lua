-- expect: error:runtime
-- note: a pattern longer than its subject
return string.find("a", string.rep("a?", 100000))
