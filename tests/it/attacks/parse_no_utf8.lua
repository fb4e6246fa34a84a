-- expect: error:syntax
-- note: bytes that are no text
@@BYTES(72657475726e2022ff22)@@
