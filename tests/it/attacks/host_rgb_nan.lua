-- expect: error:runtime
-- note: a colour that is no number
return rgb(0/0, 1, 1)
