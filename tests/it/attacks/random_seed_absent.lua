-- expect: ok:nil
-- note: nobody sets the seed
return tostring(math.randomseed)
