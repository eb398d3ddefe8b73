CREATE VIEW t AS SELECT * FROM (VALUES;
SELECT id, POSITION(p IN s) AS a FROM t;
SELECT id, LOCATE(p, s) AS a, LOCATE(p, s, 6) AS b FROM t;
SELECT id, LOCATE(p, s, n) AS a FROM t;
SELECT id, INSTR(s, p) AS a FROM t;
SELECT id, INSTR(s, 'e', n) AS a FROM t;
SELECT id, INSTR(s, 'l', 1, 2) AS a FROM t;
SELECT id, s LIKE '%o%' AS a, s NOT LIKE '%o%' AS b FROM t;
SELECT id, s LIKE 'h_llo%' AS a FROM t;
SELECT id, s LIKE p AS a FROM t;
SELECT id, s LIKE '%' || p || '%' AS a FROM t;
SELECT id, s LIKE '%x_%' ESCAPE 'x' AS a FROM t;
SELECT id, s LIKE '' AS a FROM t;
SELECT id, s LIKE '_' AS a, s LIKE 'a_b' AS b FROM t;
SELECT id, STARTSWITH(s, p) AS a, ENDSWITH(s, p) AS b FROM t;
SELECT id FROM t WHERE s LIKE 'a%';
SELECT id FROM t WHERE s NOT LIKE 'a%';
SELECT id FROM t WHERE POSITION(p IN s) > 1