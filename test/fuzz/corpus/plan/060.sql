SELECT window_start, window_end, a, COUNT(DISTINCT b), SUM(c) FILTER (WHERE a > 1) FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '10' SECOND)) GROUP BY window_start, window_end, a;
SELECT window_start, window_end, MAX(d) FROM TABLE(HOP(TABLE t, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '15' SECOND)) GROUP BY window_start, window_end;
SELECT window_start, window_end, GROUPING(a), COUNT(*) FROM TABLE(CUMULATE(TABLE t, DESCRIPTOR(ts), INTERVAL '6' SECOND, INTERVAL '18' SECOND)) GROUP BY window_start, window_end, GROUPING SETS ((a), ());
SELECT window_start, window_end, a, COUNT(*) FROM TABLE(SESSION(TABLE t PARTITION BY a, DESCRIPTOR(ts), INTERVAL '5' SECOND)) GROUP BY window_start, window_end, a
