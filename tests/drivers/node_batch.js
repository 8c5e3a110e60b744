// Batches of node's mariadb connector, and prints what it saw as JSON.
//
// usage: node node_batch.js      (DRIVER_* in the environment; DRIVER_SOCKET in place of host and port)
'use strict';

const fs = require('node:fs');
const { createRequire } = require('node:module');

const { DRIVER_HOST, DRIVER_PORT, DRIVER_SOCKET, DRIVER_USER, DRIVER_PASSWORD, DRIVER_CA, DRIVER_DATABASE } = process.env;
const mariadb = createRequire(`${process.env.DRIVER_NODE_PACKAGES}/package.json`)('mariadb');
const plain = (value) => JSON.parse(JSON.stringify(value, (_, one) => (typeof one === 'bigint' ? String(one) : one)));

async function main() {
  const where = DRIVER_SOCKET
    ? { socketPath: DRIVER_SOCKET }
    : { host: DRIVER_HOST, port: Number(DRIVER_PORT), ssl: { ca: fs.readFileSync(DRIVER_CA), rejectUnauthorized: true } };
  const connection = await mariadb.createConnection({
    ...where, user: DRIVER_USER, password: DRIVER_PASSWORD, database: DRIVER_DATABASE, prepareCacheLength: 16,
  });
  await connection.query('CREATE TEMPORARY TABLE batch (id INT PRIMARY KEY, name VARCHAR(20))');
  const insert = 'INSERT INTO batch VALUES (?, ?)';
  const whole = await connection.batch(insert, [[1, 'one'], [2, null], [3, 'three']]);
  const single = await connection.batch({ sql: insert, fullResult: true }, [[4, 'four'], [5, 'five'], [6, 'six']]);
  let error = null;
  try {
    await connection.batch(insert, [[1, 'again']]);
  } catch (caught) {
    error = caught.errno;
  }
  const selected = [];
  for (let i = 0; i < 3; ++i) selected.push(await connection.execute('SELECT id, name FROM batch WHERE id > ? ORDER BY id', [i]));
  await connection.query('ALTER TABLE batch MODIFY name VARCHAR(30), ADD more INT DEFAULT 7');
  selected.push(await connection.execute('SELECT * FROM batch WHERE id > ? ORDER BY id', [4]));
  await connection.query('ALTER TABLE batch DROP more');
  selected.push(await connection.execute('SELECT * FROM batch WHERE id > ? ORDER BY id', [4]));
  const rows = await connection.query('SELECT name FROM batch ORDER BY id');
  console.log(JSON.stringify(plain({ whole, single, error, selected, rows })));
  await connection.end();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
