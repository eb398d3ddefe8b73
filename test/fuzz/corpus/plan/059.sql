SELECT x.a, y.b, z.c FROM t AS x LEFT JOIN t AS y ON x.a = y.a AND x.b > y.b FULL JOIN t AS z ON y.a = z.a;
SELECT a FROM t WHERE a IN (SELECT a FROM t WHERE b = 'x') AND NOT EXISTS (SELECT 1 FROM t WHERE c > 1);
INSERT INTO p SELECT x.a, y.b FROM t AS x JOIN t AS y USING (a)
