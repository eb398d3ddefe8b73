CREATE TABLE side_input (key BIGINT, `value` VARCHAR) WITH ('connector' = 'datagen', 'fields.key.kind' = 'sequence', 'fields.key.start' = '0', 'fields.key.end' = '9999',
  'fields.value.kind' = 'sequence', 'fields.value.start' = '0', 'fields.value.end' = '9999');
CREATE TABLE sink (auction BIGINT, bidder BIGINT, price BIGINT, `dateTime` TIMESTAMP(3), `value` VARCHAR) WITH ('connector' = 'blackhole');
INSERT INTO sink SELECT B.auction, B.bidder, B.price, B.`dateTime`, S.`value`
FROM (SELECT *, PROCTIME() AS p_time FROM bid) B JOIN side_input FOR SYSTEM_TIME AS OF B.p_time AS S ON mod(B.auction, 10000) = S.key;
