// Runs the script with a Node driver, mysql2 or mariadb, and prints what it saw as JSON.
//
// usage: node node_driver.js mysql2|mariadb      (DRIVER_* in the environment, see README.md)
'use strict';

const crypto = require('node:crypto');
const fs = require('node:fs');
const { createRequire } = require('node:module');

const fromPackages = createRequire(`${process.env.DRIVER_NODE_PACKAGES}/package.json`);
const { DRIVER_HOST, DRIVER_PORT, DRIVER_USER, DRIVER_PASSWORD, DRIVER_CA, DRIVER_DATABASE, DRIVER_INIT, DRIVER_STEPS } = process.env;
const LONG = 200; // characters; what is longer is printed as a digest

function shortened(text) {
  if (text.length <= LONG) return text;
  return `${text.length} characters, sha256 ${crypto.createHash('sha256').update(text).digest('hex')}`;
}

// A value as the driver gave it, with its type, so that 1 and '1' differ.
function seen(value) {
  if (value === null || value === undefined) return [String(value)];
  if (Buffer.isBuffer(value)) return ['buffer', shortened(value.toString('hex'))];
  if (value instanceof Date) return ['date', String(value.getTime())];
  if (typeof value === 'object') return ['object', shortened(JSON.stringify(value))];
  return [typeof value, shortened(Object.is(value, -0) ? '-0' : String(value))];
}

function parameter(given) {
  if (given === null || typeof given !== 'object') return given;
  if (given.fill === undefined) return Buffer.from(given.bytes, 'hex');
  const unit = Buffer.from(given.fill);
  const value = Buffer.alloc(Math.floor(given.bytes / unit.length) * unit.length, unit);
  return given.as === 'bytes' ? value : value.toString();
}

function expand(sql) {
  return sql.replace(/\{fill:(\d+)\}/, (_, size) => 'x'.repeat(Number(size)));
}

function summary(rows, columns, row) {
  let printed = rows.map((one) => row(one).map(seen));
  if (printed.length > 100) printed = [shortened(JSON.stringify(printed))];
  return { columns, rows: printed };
}

function ok(header) {
  const { affectedRows, insertId, warningStatus, info, changedRows } = header;
  return { affectedRows, insertId: String(insertId), warningStatus, info, changedRows };
}

const tls = { ca: fs.readFileSync(DRIVER_CA), rejectUnauthorized: true };

async function openMysql2() {
  const mysql2 = fromPackages('mysql2/promise');
  const connection = await mysql2.createConnection({
    host: DRIVER_HOST, port: Number(DRIVER_PORT), user: DRIVER_USER, password: DRIVER_PASSWORD, database: DRIVER_DATABASE,
    ssl: { ...tls, verifyIdentity: true }, multipleStatements: true, supportBigNumbers: true, bigNumberStrings: true, rowsAsArray: true,
    compress: Boolean(process.env.DRIVER_COMPRESSION),
  });
  // One result or several, of rows or of a header, are told apart by the shape of the fields.
  const results = ([rows, fields]) => {
    const several = Array.isArray(fields) && (fields.length === 0 || fields.some((one) => one === undefined || Array.isArray(one)))
      && Array.isArray(rows) && rows.length === fields.length;
    const pairs = several ? rows.map((one, index) => [one, fields[index]]) : [[rows, fields]];
    return pairs.map(([one, definition]) => (Array.isArray(one)
      ? summary(one, (definition ?? []).map((c) => [c.name, c.columnType ?? c.type, c.flags, c.characterSet, c.columnLength, c.decimals,
        c.table, c.orgTable, c.orgName, c.schema]), (row) => row)
      : ok(one)));
  };
  return {
    server: connection.connection._handshakePacket.serverVersion,
    query: async (sql) => results(await connection.query(sql)),
    execute: async (sql, params) => results(await connection.execute(sql, params)),
    ping: () => connection.ping(),
    selectDb: (name) => connection.query(`USE ${name}`),
    end: () => connection.end(),
  };
}

async function openMariadb() {
  const mariadb = fromPackages('mariadb');
  const connection = await mariadb.createConnection({
    host: DRIVER_HOST, port: Number(DRIVER_PORT), user: DRIVER_USER, password: DRIVER_PASSWORD, database: DRIVER_DATABASE,
    ssl: tls, multipleStatements: true, rowsAsArray: true, metaAsArray: true, bigIntAsNumber: false, maxAllowedPacket: 64 << 20, checkDuplicate: false,
    compress: Boolean(process.env.DRIVER_COMPRESSION),
  });
  const one = (rows, meta) => (Array.isArray(rows)
    ? summary(rows, (meta ?? []).map((c) => [c.name(), c.columnType, c.flags, c.collation?.name, c.columnLength, c.scale, c.table(), c.orgTable(),
      c.orgName(), c.schema()]), (row) => row)
    : ok(rows));
  // A result is [rows, columns]; several are arrays of both; what returns no rows is a header alone.
  const results = (given) => {
    if (!Array.isArray(given)) return [one(given)];
    const [rows, meta] = given;
    const several = Array.isArray(meta) && meta.some((m) => Array.isArray(m) || m === undefined || m === null);
    return several ? rows.map((r, index) => one(r, meta[index])) : [one(rows, meta)];
  };
  return {
    server: connection.serverVersion(),
    query: async (sql) => results(await connection.query(sql)),
    execute: async (sql, params) => results(await connection.execute(sql, params)),
    ping: () => connection.ping(),
    selectDb: (name) => connection.query(`USE ${name}`),
    end: () => connection.end(),
  };
}

async function run(driver, step) {
  if (step.op === 'ping') { await driver.ping(); return 'pong'; }
  if (step.op === 'select_db') { await driver.selectDb(step.name); return 'selected'; }
  if (step.op !== 'execute') return driver.query(expand(step.sql));
  const results = [];
  for (let turn = 0; turn < step.times; turn += 1) {
    results.push(...await driver.execute(step.sql, step.params.map(parameter)));
  }
  return results;
}

function print(value) {
  fs.writeSync(1, `${JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one))}\n`);
}

async function main() {
  let driver;
  try {
    driver = process.argv[2] === 'mysql2' ? await openMysql2() : await openMariadb();
  } catch (error) {
    print({ refused: [error.errno, error.sqlState, error.message] });
    return;
  }
  if (DRIVER_INIT) await driver.query(DRIVER_INIT);
  print({ server: driver.server });
  for (const step of JSON.parse(fs.readFileSync(DRIVER_STEPS))) {
    if (step.not_for?.includes(process.argv[2])) continue;
    let outcome;
    try {
      outcome = await run(driver, step);
    } catch (error) {
      outcome = { error: [error.name, error.errno, error.sqlState, error.sqlMessage ?? error.message] };
    }
    print({ id: step.id, outcome });
  }
  await driver.end();
}

main();
