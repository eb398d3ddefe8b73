-- The five worst airports of each week, from 20,000 real flights (examples/data/README.md).
--
-- The rows come in the order of arrival, while event time is the time in the timetable: real delays make real disorder. Watermarks
-- stay 90 minutes behind the latest scheduled time; a flight that comes later than that is dropped and counted.

CREATE TABLE flights (
  scheduled TIMESTAMP(3) NOT NULL,
  delay INT NOT NULL COMMENT 'minutes; negative when early',
  distance INT NOT NULL COMMENT 'miles',
  origin STRING NOT NULL,
  destination STRING NOT NULL,
  WATERMARK FOR scheduled AS scheduled - INTERVAL '90' MINUTE
) WITH (
  'connector' = 'filesystem', 'path' = 'examples/data/flights.csv',
  'format' = 'csv', 'csv.header' = 'true',
  -- by row count, not by the clock: every run gives the same result
  'scan.watermark.emit.strategy' = 'on-event', 'scan.watermark.emit.on-event.gap' = '8'
);

-- Weeks begin on Monday: 1970-01-01 was a Thursday.
CREATE VIEW airport_weeks AS
SELECT CAST(window_start AS DATE) AS week, origin, COUNT(*) AS flights, AVG(CAST(delay AS DOUBLE)) AS delay
FROM TABLE(TUMBLE(TABLE flights, DESCRIPTOR(scheduled), INTERVAL '7' DAY, INTERVAL '4' DAY))
GROUP BY window_start, window_end, origin
HAVING COUNT(*) >= 10;

SELECT week, worst, origin, flights, CAST(delay AS DECIMAL(6, 1)) AS minutes_late
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY week ORDER BY delay DESC) AS worst FROM airport_weeks)
WHERE worst <= 5;
