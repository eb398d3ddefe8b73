SELECT id, m - i8 AS m_i8, m - i16 AS m_i16, m - i32 AS m_i32, m - i64 AS m_i64, m - f AS m_f, m - d AS m_d, m - m AS m_m FROM t;
SELECT id, m * i8 AS x_i8, m * i16 AS x_i16, m * i32 AS x_i32, m * i64 AS x_i64, m * f AS x_f, m * d AS x_d, m * m AS x_m FROM t;
SELECT id, i8 / i8 AS q_i8, i8 / i16 AS q_i16, i8 / i32 AS q_i32, i8 / i64 AS q_i64, i8 / f AS q_f, i8 / d AS q_d, i8 / m AS q_m FROM t WHERE id IN (1, 2, 3);
SELECT id, i16 / i8 AS q_i8, i16 / i16 AS q_i16, i16 / i32 AS q_i32, i16 / i64 AS q_i64, i16 / f AS q_f, i16 / d AS q_d, i16 / m AS q_m FROM t WHERE id IN (1, 2, 3);
SELECT id, i32 / i8 AS q_i8, i32 / i16 AS q_i16, i32 / i32 AS q_i32, i32 / i64 AS q_i64, i32 / f AS q_f, i32 / d AS q_d, i32 / m AS q_m FROM t WHERE id IN (1, 2, 3);
SELECT id, i64 / i8 AS q_i8, i64 / i16 AS q_i16, i64 / i32 AS q_i32, i64 / i64 AS q_i64, i64 / f AS q_f, i64 / d AS q_d, i64 / m AS q_m FROM t WHERE id IN (1, 2, 3);
SELECT id, f / i8 AS q_i8, f / i16 AS q_i16, f / i32 AS q_i32, f / i64 AS q_i64, f / f AS q_f, f / d AS q_d, f / m AS q_m FROM t WHERE id IN (1, 2, 3);
SELECT id, d / i8 AS q_i8, d / i16 AS q_i16, d / i32 AS q_i32, d / i64 AS q_i64, d / f AS q_f, d / d AS q_d, d / m AS q_m FROM t WHERE id IN (1, 2, 3);
SELECT id, m / i8 AS q_i8, m / i16 AS q_i16, m / i32 AS q_i32, m / i64 AS q_i64, m / f AS q_f, m / d AS q_d, m / m AS q_m FROM t WHERE id IN (1, 2, 3);
SELECT id, i32 / i8 AS q FROM t WHERE i8 <> 0;
SELECT i32 / i8 AS q FROM t;
SELECT MOD(i32, i8) AS q FROM t;
SELECT id, d / i8 AS q FROM t;
SELECT id, f / 0 AS q FROM t;
SELECT m / i8 AS q FROM t