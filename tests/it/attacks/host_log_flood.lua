-- expect: ok:done
-- note: logging without end is cut short
for i = 1, 1000 do log(i, {}, nil, "\27[2J") end return "done"
