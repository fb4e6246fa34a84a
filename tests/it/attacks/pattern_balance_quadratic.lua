-- expect: error:runtime|error:timeout
-- note: %b looks to the end from each place
return tostring(string.find(string.rep("(", 65536), "%b()"))
