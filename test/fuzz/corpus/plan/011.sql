SELECT id FROM t WHERE b = v;
SELECT id FROM t WHERE dt > 1;
SELECT id, MD5(v) = MD5(c1) AS a FROM t