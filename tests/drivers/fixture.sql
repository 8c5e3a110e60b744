-- What the drivers' script works on. Loaded as root, anew before each run, so that runs start from the same state.
USE shop;
DROP TABLE IF EXISTS driver_types, driver_values, driver_unique, driver_child, driver_parent, driver_rows, driver_large;
DROP PROCEDURE IF EXISTS driver_results;
DROP PROCEDURE IF EXISTS driver_out;
DROP PROCEDURE IF EXISTS driver_fails_late;

CREATE TABLE driver_types (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY,
  tiny TINYINT, tiny_unsigned TINYINT UNSIGNED, small SMALLINT, small_unsigned SMALLINT UNSIGNED,
  medium MEDIUMINT, medium_unsigned MEDIUMINT UNSIGNED, normal INT, normal_unsigned INT UNSIGNED,
  big BIGINT, big_unsigned BIGINT UNSIGNED, zero_filled INT(8) ZEROFILL, truth BOOLEAN,
  exact DECIMAL(65, 30), money DECIMAL(10, 2), single FLOAT, doubled DOUBLE,
  day DATE, span TIME, span_fraction TIME(6), moment DATETIME, moment_fraction DATETIME(6), stamp TIMESTAMP(3) NULL, year4 YEAR,
  bit1 BIT(1), bit13 BIT(13), bit64 BIT(64),
  fixed CHAR(10), varied VARCHAR(255), fixed_binary BINARY(8), varied_binary VARBINARY(255),
  text1 TINYTEXT, text2 TEXT, text3 MEDIUMTEXT, text4 LONGTEXT, blob1 TINYBLOB, blob2 BLOB, blob3 MEDIUMBLOB, blob4 LONGBLOB,
  choice ENUM('a', 'b', 'ü'), choices SET('x', 'y', 'z'), document JSON, place POINT, shape GEOMETRY,
  latin VARCHAR(50) CHARACTER SET latin1
) CHARACTER SET utf8mb4;

SET SESSION sql_mode = '';
INSERT INTO driver_types VALUES
  (1, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615, 42, TRUE,
   99999999999999999999999999999999999.999999999999999999999999999999, 12345678.90, 3.40282e38, 1.7976931348623157e308,
   '9999-12-31', '838:59:59', '838:59:58.999999', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999999',
   '2038-01-19 03:14:07.999', 2155,
   b'1', b'1111111111111', b'1111111111111111111111111111111111111111111111111111111111111111',
   'ten chars!', 'varied', X'0001027F80FEFF00', X'00',
   'tiny', 'text', 'medium', 'long', X'00', X'000102', X'FFFE', X'27225C0A0D1A00',
   'ü', 'x,y,z', '{"a": [1, 2.5, null, true, "ü😀"]}', ST_GeomFromText('POINT(1 2)'),
   ST_GeomFromText('POLYGON((0 0, 10 0, 10 10, 0 10, 0 0))'), 'äöü€'),
  (2, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 0, FALSE,
   -99999999999999999999999999999999999.999999999999999999999999999999, -0.01, -1.17549e-38, -2.2250738585072014e-308,
   '1000-01-01', '-838:59:59', '-838:59:58.999999', '1000-01-01 00:00:00', '1000-01-01 00:00:00.000001',
   '1971-01-01 00:00:00.001', 1901,
   b'0', b'0000000000001', b'0', '', '', '', '', '', '', '', '', '', '', '', '', 'a', '', '{}',
   ST_GeomFromText('POINT(-0.5 1e10)'), ST_GeomFromText('LINESTRING(0 0, 1 1)'), ''),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
   NULL, NULL, NULL, NULL),
  (4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '2024-02-29', '00:00:00', '-00:00:00.000001', '2024-02-29 00:00:00',
   '2024-02-29 12:34:56.100000', '2024-02-29 12:34:56.010', 1970, b'0', b'0', b'0',
   'שלום', 'مرحبا 😀👩‍👩‍👧‍👦 e\u0301 日本語', '', '', 'Zürich', '𝒳', 'ﷺ', CONCAT(REPEAT('ü', 70000), '😀'), '', '', '', REPEAT(X'00FF', 40000),
   'b', 'x,z', '[]', ST_GeomFromText('POINT(0 0)'), ST_GeomFromText('MULTIPOINT(0 0, 1 1)'), 'ÿ');

CREATE TABLE driver_values (
  id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, kind VARCHAR(40), whole BIGINT, fraction DOUBLE, exact DECIMAL(30, 10),
  words LONGTEXT, bytes LONGBLOB, moment DATETIME(6)
) CHARACTER SET utf8mb4;

CREATE TABLE driver_unique (id INT NOT NULL PRIMARY KEY, name VARCHAR(20) UNIQUE, small TINYINT) CHARACTER SET utf8mb4;
INSERT INTO driver_unique VALUES (1, 'one', 1), (2, 'two', 2);

CREATE TABLE driver_parent (id INT NOT NULL PRIMARY KEY);
CREATE TABLE driver_child (id INT NOT NULL PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES driver_parent (id));
INSERT INTO driver_parent VALUES (1);

CREATE TABLE driver_rows (id INT NOT NULL PRIMARY KEY, label VARCHAR(40), half DECIMAL(10, 1)) CHARACTER SET utf8mb4;
INSERT INTO driver_rows
  WITH digits AS (SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5
                  UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)
  SELECT a.d * 1000 + b.d * 100 + c.d * 10 + d.d, CONCAT('row ', a.d, b.d, c.d, d.d), (a.d * 1000 + b.d * 100 + c.d * 10 + d.d) / 2
  FROM digits a, digits b, digits c, digits d;

CREATE TABLE driver_large (id INT NOT NULL PRIMARY KEY, words LONGTEXT, bytes LONGBLOB) CHARACTER SET utf8mb4;

DELIMITER //
CREATE PROCEDURE driver_results(IN count_max INT)
BEGIN
  SELECT id, label FROM driver_rows WHERE id < count_max ORDER BY id;
  SELECT 'second' AS which, count_max AS given;
  SELECT id FROM driver_rows WHERE id < 0;
END //
CREATE PROCEDURE driver_out(IN given INT, OUT doubled INT, INOUT both_ways VARCHAR(20))
BEGIN
  SET doubled = given * 2;
  SET both_ways = CONCAT(both_ways, '!');
END //
CREATE PROCEDURE driver_fails_late()
BEGIN
  SELECT 1 AS before_it_fails;
  SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'failed late, ü', MYSQL_ERRNO = 1644;
END //
DELIMITER ;
