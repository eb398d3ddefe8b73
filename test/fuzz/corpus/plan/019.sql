SELECT id, SIN(i8) AS a, COS(i8) AS b, TAN(i8) AS c FROM t;
SELECT id, ASIN(f) AS a, ACOS(f) AS b, ATAN(f) AS c FROM t;
SELECT id, ATAN2(i8, i16) AS a FROM t;
SELECT id, SINH(f) AS a, COSH(f) AS b, TANH(f) AS c FROM t;
SELECT id, COT(i8 + 1) AS a FROM t;
SELECT id, DEGREES(d) AS a, RADIANS(d) AS b FROM t;
SELECT PI() AS a, E() AS b FROM t;
SELECT id, BIN(i8) AS a, BIN(i64) AS b FROM t;
SELECT id, HEX(i8) AS a, HEX(i64) AS b FROM t;
SELECT id, GREATEST(i32, id) AS a, LEAST(i32, id) AS b FROM t;
SELECT id, GREATEST(d, m) AS a, LEAST(i8, d) AS b FROM t;
SELECT id, MOD(i32, 7) AS a, MOD(i64, 1000) AS b FROM t;
SELECT id, MOD(i32, -7) AS a, i32 % 7 AS b FROM t;
SELECT id, -i8 AS a, -i32 AS b, -i64 AS c, -d AS e, -m AS g FROM t