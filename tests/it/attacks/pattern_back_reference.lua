-- expect: error:runtime|error:timeout
-- note: %1 compares long captures at each place
return tostring(string.find(string.rep("a", 60000), "(.*)b%1"))
