-- What bench/load and sysbench ask for: 100,000 rows of some 190 bytes, in the shape that sysbench's tables have.
CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4;
USE shop;

CREATE TABLE points (
  id INT NOT NULL PRIMARY KEY,
  k INT NOT NULL,
  c CHAR(120) CHARACTER SET latin1 NOT NULL,
  pad CHAR(60) CHARACTER SET latin1 NOT NULL,
  KEY by_k (k)
);

INSERT INTO points (id, k, c, pad)
WITH digits AS (
  SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
  UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
), numbers AS (
  SELECT 1 + a.d + 10 * b.d + 100 * c.d + 1000 * d.d + 10000 * e.d AS n
  FROM digits AS a, digits AS b, digits AS c, digits AS d, digits AS e
)
SELECT n, n * 7919 % 100000, LEFT(SHA2(n, 512), 119), LEFT(SHA2(-n, 256), 59) FROM numbers;

-- sysbench writes in a table of its own.
CREATE TABLE sbtest1 (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  k INT NOT NULL DEFAULT 0,
  c CHAR(120) CHARACTER SET latin1 NOT NULL DEFAULT '',
  pad CHAR(60) CHARACTER SET latin1 NOT NULL DEFAULT '',
  KEY k_1 (k)
);

INSERT INTO sbtest1 (id, k, c, pad) SELECT id, k, c, pad FROM points;
