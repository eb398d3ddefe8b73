SELECT x.a, y.ts FROM t AS x JOIN t AS y ON x.a = y.a AND x.ts BETWEEN y.ts - INTERVAL '5' SECOND AND y.ts + INTERVAL '1' MINUTE;
SELECT x.a FROM t AS x LEFT JOIN t AS y ON x.b = y.b AND x.ts >= y.ts AND x.ts < y.ts + INTERVAL '1' HOUR
