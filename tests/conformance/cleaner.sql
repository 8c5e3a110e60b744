-- What the runner calls before each test: the suite's own runner leaves a running server as the test before left it, also
-- when that one failed half-way. Statements are separated by lines of `//`.
CREATE TABLE mtr.first_global_priv AS SELECT * FROM mysql.global_priv
//
CREATE TABLE mtr.first_variables AS SELECT variable_name, variable_value FROM information_schema.global_variables
  WHERE variable_name NOT IN ('TIMESTAMP', 'RAND_SEED1', 'RAND_SEED2', 'GTID_BINLOG_STATE', 'GTID_CURRENT_POS')
//
CREATE PROCEDURE mtr.clean_up()
BEGIN
  DECLARE CONTINUE HANDLER FOR SQLEXCEPTION BEGIN END;
  SET SESSION lock_wait_timeout = 5, foreign_key_checks = 0, sql_mode = '';
  FOR one IN (SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name NOT IN
              ('mysql', 'mtr', 'sys', 'information_schema', 'performance_schema')) DO
    EXECUTE IMMEDIATE CONCAT('DROP DATABASE `', REPLACE(one.name, '`', '``'), '`');
  END FOR;
  CREATE DATABASE test CHARACTER SET latin1 COLLATE latin1_swedish_ci;
  DELETE FROM mysql.global_priv;
  INSERT INTO mysql.global_priv SELECT * FROM mtr.first_global_priv;
  DELETE FROM mysql.db;
  DELETE FROM mysql.tables_priv WHERE user <> 'mariadb.sys';
  DELETE FROM mysql.columns_priv;
  DELETE FROM mysql.procs_priv WHERE db <> 'sys';
  DELETE FROM mysql.roles_mapping;
  DELETE FROM mysql.servers;
  DELETE FROM mysql.table_stats;
  DELETE FROM mysql.column_stats;
  DELETE FROM mysql.index_stats;
  FLUSH PRIVILEGES;
  FOR one IN (SELECT now.variable_name AS name, first.variable_value AS value
              FROM information_schema.global_variables now JOIN mtr.first_variables first USING (variable_name)
              WHERE now.variable_value <> first.variable_value) DO
    EXECUTE IMMEDIATE CONCAT('SET GLOBAL ', one.name, ' = ',
                             IF(one.value REGEXP '^-?[0-9]+([.][0-9]+)?$', one.value, QUOTE(one.value)));
  END FOR;
  FLUSH TABLES;
  FLUSH STATUS;
END
