-- expect: ok:\u{1b}]0;owned\u{7}\u{1b}[2J\xff
-- note: a result that a terminal would obey
return "\27]0;owned\7\27[2J\xff"
