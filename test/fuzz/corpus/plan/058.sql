CREATE VIEW t AS SELECT * FROM (VALUES (1, 'a', 1.5), (2, 'b', 2.5), (3, CAST(NULL AS STRING), CAST(NULL AS DECIMAL(2, 1)))) AS x (id, s, d);
SELECT nope(id) FROM t;
SELECT UPPER(id, s) FROM'nope'