-- A script as users of Flink's SQL client have it: statements of every kind, the last of which fails.
SET 'sql-client.execution.result-mode' = 'tableau';
SET 'table.dml-sync' = 'true';
SET 'parallelism.default' = '1';
SET 'thalweg.exec.emit' = 'every';
CREATE TABLE orders (
  id INT COMMENT 'how manieth it is',
  price AS CAST(id + 2.5 AS DECIMAL(10, 2)),
  product AS CASE WHEN id = 2 THEN 'coffee' WHEN id = 4 THEN 'cake' ELSE 'tea' END,
  ts AS TO_TIMESTAMP_LTZ(id * 1000, 3),
  WATERMARK FOR ts AS ts - INTERVAL '5' SECOND
) COMMENT 'orders of a shop'
WITH (
  'connector' = 'datagen', 'number-of-rows' = '5',
  'fields.id.kind' = 'sequence', 'fields.id.start' = '1', 'fields.id.end' = '5'
);
CREATE TABLE sums (product STRING, total DECIMAL(38, 2), PRIMARY KEY (product) NOT ENFORCED) WITH ('connector' = 'blackhole');
CREATE VIEW cheap AS SELECT id, product, price FROM orders WHERE price < 5;
CREATE TABLE nothing LIKE sums;
SHOW TABLES;
SHOW VIEWS;
DESCRIBE orders;
DESC cheap;
SHOW CREATE TABLE orders;
SHOW CREATE VIEW cheap;
SHOW COLUMNS FROM sums;
EXPLAIN SELECT product, price FROM orders WHERE id > 1;
SELECT id, product, price FROM orders;
SELECT product, COUNT(*) AS n, SUM(price) AS total FROM orders GROUP BY product;
SELECT window_start, COUNT(*) AS n FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '2' SECOND))
  GROUP BY window_start, window_end;
SELECT a.id, b.product FROM orders AS a JOIN orders AS b ON a.id + 1 = b.id WHERE a.id < 3;
SET 'execution.runtime-mode' = 'batch';
SELECT product, COUNT(*) AS n, SUM(price) AS total FROM orders GROUP BY product ORDER BY product;
SELECT id, product FROM cheap ORDER BY id DESC LIMIT 2;
INSERT INTO sums SELECT product, SUM(price) FROM orders GROUP BY product;
SELECT UPPER(product) AS up, CAST(price AS INT) AS whole, CAST(NULL AS STRING) AS nothing FROM orders WHERE id = 1;
SELECT 'a longer text than thirty characters' AS words, TRUE AS yes, DATE '2024-02-29' AS d, 1.5E0 AS x, X'0aff' AS b;
SELECT ARRAY[1, 2] AS list, MAP['k', 1] AS m, ROW(1, 'x') AS r, CAST(NULL AS INT) AS nothing;
SELECT id FROM orders WHERE id > 100;
RESET 'execution.runtime-mode';
ALTER TABLE sums RENAME TO totals;
ALTER TABLE totals SET ('connector' = 'print');
SHOW TABLES LIKE 't%';
SHOW FUNCTIONS LIKE 'json_arr%';
CREATE DATABASE shop COMMENT 'another';
USE shop;
SHOW TABLES;
SHOW CURRENT DATABASE;
USE CATALOG default_catalog;
USE default_database;
SHOW CURRENT CATALOG;
DROP DATABASE shop;
SHOW DATABASES;
DROP VIEW cheap;
DROP TABLE IF EXISTS never_there;
SHOW MODULES;
SELECT nope FROM orders;
