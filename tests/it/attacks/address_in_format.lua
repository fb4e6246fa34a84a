-- expect: ok:table|error:runtime
-- note: format shows no address
return string.format("%s", {})
