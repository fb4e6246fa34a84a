-- expect: error:syntax|ok:3
-- note: a NUL within a text
@@BYTES(72657475726e202322610062220a)@@
