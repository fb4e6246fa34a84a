-- expect: ok:table
-- note: interpolation shows no address
return `{{}}`
