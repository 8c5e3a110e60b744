"""The script of queries that every driver runs, once directly against the server and once through the gateway.

A step is a dict with a unique `id` and an `op`:
  query    {sql}                  as the driver sends text
  execute  {sql, params, times?}  as a prepared statement where the driver has them, else with parameters put into text
  multi    {sql}                  several statements in one text, where the driver can
  ping, select_db {name}
Parameters are JSON values, or {"bytes": hex}, or {"fill": text, "bytes": n, "as": "text"|"bytes"}: `text` repeated up to
n bytes of UTF-8. `{fill:N}` in sql is replaced by N letters. `not_for` names drivers that can't do the step themselves.
"""

import json

MEBIBYTE = 1 << 20
# A packet holds 0xFFFFFF bytes; a row's only value takes 4 bytes of length before it, a text command 1 byte of opcode.
VALUE_OF_FULL_PACKET = 0xFFFFFF - 4
WRAPPER_BYTES = len("SELECT LENGTH('')") + 1
EMOJI = "😀👩‍👩‍👧‍👦"
RIGHT_TO_LEFT = "مرحبا שלום \u202eabc\u202c"


def query(name, sql):
    return {"id": name, "op": "query", "sql": sql}


def execute(name, sql, *params, times=1):
    return {"id": name, "op": "execute", "sql": sql, "params": list(params), "times": times}


def both(name, sql):
    """The same statement as text and prepared."""
    return [query(f"{name}, text", sql), execute(f"{name}, prepared", sql)]


def type_steps():
    steps = both("every type", "SELECT * FROM driver_types ORDER BY id")
    steps += both("literals", "SELECT NULL AS n, 1 AS one, -1 AS minus, 18446744073709551615 AS most, 1.50 AS exact, "
                  "1e100 AS inexact, 'text' AS t, X'00FF' AS hex, DATE'2024-02-29' AS d, TIME'-12:34:56.789' AS s, "
                  "TIMESTAMP'2024-02-29 01:02:03.04' AS m, TRUE AS yes, 1 = 2 AS no")
    steps += both("shapes as text", "SELECT ST_AsText(place), ST_AsText(shape) FROM driver_types ORDER BY id")
    steps += both("many columns", "SELECT " + ", ".join(f"{n} AS column_{n}" for n in range(300)))
    steps += both("aggregates", "SELECT COUNT(*), SUM(half), AVG(half), MIN(label), MAX(id), GROUP_CONCAT(id ORDER BY id) "
                  "FROM driver_rows WHERE id < 20")
    return steps


def parameter_steps():
    insert = ("INSERT INTO driver_values (kind, whole, fraction, exact, words, bytes, moment) VALUES (?, ?, ?, ?, ?, ?, ?)")
    return [
        execute("insert plain", insert, "plain", 42, 1.5, "123.4567890123", "words", {"bytes": "00ff27225c"}, "2024-02-29 12:34:56.123456"),
        execute("insert nulls", insert, None, None, None, None, None, None, None),
        execute("insert extremes", insert, "", -9223372036854775808, 1e-300, "-99999999999999999999.9999999999", "", {"bytes": ""},
                "1000-01-01 00:00:00"),
        execute("insert unicode", insert, EMOJI, 0, 0.1, "0", RIGHT_TO_LEFT + " ﷺ e\u0301 日本語 \u0000 'quoted\" \\ %s ?", {"bytes": "f09f9880"}, None),
        execute("insert again and again", insert, "again", 7, 7.25, "7", "seven", {"bytes": "07"}, "2024-01-01", times=5),
        query("read them", "SELECT * FROM driver_values ORDER BY id"),
        execute("read them by parameter", "SELECT id, whole, words, bytes FROM driver_values WHERE kind = ? OR whole < ? ORDER BY id", EMOJI, 0),
        execute("parameters of each type back", "SELECT ? AS a, ? AS b, ? AS c, ? AS d, ? AS e", 1, -2.5, "ü" + EMOJI, None, {"bytes": "0001"}),
        execute("a thousand parameters", "SELECT " + ", ".join(f"? AS p{n}" for n in range(1000)), *range(1000)),
        execute("no rows by parameter", "SELECT id, label FROM driver_rows WHERE id = ?", -1),
        execute("update by parameter", "UPDATE driver_values SET whole = whole + ? WHERE kind = ?", 1, "again"),
        execute("update without change", "UPDATE driver_values SET whole = whole WHERE kind = ?", "again"),
        execute("delete by parameter", "DELETE FROM driver_values WHERE kind = ?", "again"),
    ]


def error_steps():
    steps = []
    for name, sql in {
            "syntax": "SELEC 1", "empty": "", "missing table": "SELECT * FROM not_there", "missing column": "SELECT nope FROM driver_rows",
            "duplicate key": "INSERT INTO driver_unique VALUES (1, 'again', 1)",
            "duplicate unique value": "INSERT INTO driver_unique VALUES (3, 'two', 1)",
            "out of range": "INSERT INTO driver_unique VALUES (4, 'four', 1000)",
            "too long": "INSERT INTO driver_unique VALUES (4, REPEAT('x', 21), 1)",
            "foreign key": "INSERT INTO driver_child VALUES (1, 99)", "not allowed": "SELECT * FROM mysql.user",
            "unknown function": "SELECT no_such_function(1)", "unicode in the message": "SELECT `ü😀` FROM driver_rows",
            "wrong value": "SELECT ST_GeomFromText('nonsense')", "raised by a procedure": "CALL driver_fails_late()"}.items():
        steps += both(f"error: {name}", sql)
    steps.append(execute("error: duplicate key by parameter", "INSERT INTO driver_unique VALUES (?, ?, ?)", 1, "again", 1))
    steps.append(query("the session goes on", "SELECT COUNT(*) AS still_two FROM driver_unique"))
    return steps


def warning_steps():
    steps = []
    for name, sql in {"truncated": "INSERT IGNORE INTO driver_unique VALUES (10, REPEAT('y', 30), 999)", "cast": "SELECT CAST('12abc' AS SIGNED) AS n",
                      "note": "DROP TABLE IF EXISTS driver_not_there", "many": "INSERT IGNORE INTO driver_unique SELECT id, 'one', 1 FROM driver_rows WHERE id < 100"
                      }.items():
        steps.append(query(f"warning: {name}", sql))
        steps.append(query(f"warning: {name}, shown", "SHOW WARNINGS"))
        steps.append(query(f"warning: {name}, counted", "SHOW COUNT(*) WARNINGS"))
    steps.append(query("warnings gone", "DELETE FROM driver_unique WHERE id > 2"))
    return steps


def several_results_steps():
    return [
        *both("two results and an empty one", "CALL driver_results(3)"),
        execute("two results by parameter", "CALL driver_results(?)", 2),
        query("out parameters are called", "CALL driver_out(21, @doubled, @both_ways)"),
        query("out parameters are read", "SELECT @doubled, @both_ways"),
        {"id": "several statements", "op": "multi",
         "sql": "SELECT 1 AS first; INSERT INTO driver_unique VALUES (20, 'twenty', 20); SELECT id FROM driver_unique ORDER BY id; "
                "UPDATE driver_unique SET small = 21 WHERE id = 20; DELETE FROM driver_unique WHERE id = 20; SELECT 'ü' AS last"},
        {"id": "several statements, the second wrong", "op": "multi", "sql": "SELECT 1 AS first; SELECT * FROM not_there; SELECT 2 AS never"},
        query("still in step", "SELECT 'in step' AS answer"),
    ]


def transaction_steps():
    count = "SELECT COUNT(*) AS found FROM driver_parent"
    return [query(f"transaction {number}", sql) for number, sql in enumerate([
        "START TRANSACTION", "INSERT INTO driver_parent VALUES (2), (3)", count, "ROLLBACK", count, "BEGIN", "INSERT INTO driver_parent VALUES (4)",
        "SAVEPOINT here", "INSERT INTO driver_parent VALUES (5)", "ROLLBACK TO SAVEPOINT here", "COMMIT", count, "SET autocommit = 0",
        "DELETE FROM driver_parent WHERE id = 4", count, "ROLLBACK", count, "SET autocommit = 1", "START TRANSACTION READ ONLY",
        "INSERT INTO driver_parent VALUES (6)", "COMMIT", "SELECT id FROM driver_parent ORDER BY id"])]


def session_steps():
    return [
        {"id": "ping", "op": "ping"},
        {"id": "select another schema", "op": "select_db", "name": "information_schema"},
        query("which schema now", "SELECT DATABASE() AS now"),
        {"id": "select a missing schema", "op": "select_db", "name": "not_there"},
        {"id": "select the schema again", "op": "select_db", "name": "shop"},
        query("use", "USE shop"), query("schema", "SELECT DATABASE() AS now"), query("account", "SELECT CURRENT_USER() AS me, CURRENT_ROLE() AS role"),
        query("set a variable", "SET @kept = 'ü', @number = 12.5"), query("read it", "SELECT @kept, @number"),
        query("sql_mode", "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"), query("quotes as names", 'SELECT "id" FROM driver_unique ORDER BY "id"'),
        query("sql_mode back", "SET SESSION sql_mode = DEFAULT"),
        query("show tables", "SHOW TABLES LIKE 'driver%'"), query("describe", "DESCRIBE driver_unique"), query("show create", "SHOW CREATE TABLE driver_child"),
        *both("explain", "EXPLAIN SELECT * FROM driver_unique WHERE id = 1"),
        query("temporary table", "CREATE TEMPORARY TABLE driver_temporary AS SELECT id FROM driver_rows WHERE id < 3"),
        *both("temporary rows", "SELECT * FROM driver_temporary ORDER BY id"),
        query("comment only", "/* nothing */ SELECT 1 -- and more"), query("last insert id", "INSERT INTO driver_values (kind) VALUES ('a'), ('b'), ('c')"),
        query("last insert id, read", "SELECT LAST_INSERT_ID() > 0 AS had"), *both("empty", "SELECT * FROM driver_types WHERE 1 = 0"),
        *both("ten thousand rows", "SELECT * FROM driver_rows ORDER BY id"),
        query("named in unicode", "SELECT 1 AS `ü שלום 日本`"), query("named by an emoji", "SELECT 1 AS `😀`"),
    ]


def large_steps():
    words = {"fill": "añ😀b", "bytes": 20 * MEBIBYTE, "as": "text"}
    noise = {"fill": "\x00\x01'\\\"\x7f", "bytes": 20 * MEBIBYTE, "as": "bytes"}
    steps = [
        execute("insert 20 MB", "INSERT INTO driver_large VALUES (1, ?, ?)", words, noise),
        *both("read 20 MB", "SELECT words, bytes FROM driver_large"),
        query("20 MB arrived", "SELECT SHA2(words, 256), SHA2(bytes, 256), LENGTH(words), LENGTH(bytes) FROM driver_large"),
        execute("20 MB back", "SELECT ? AS back", words),
        query("20 MB in one text", "SELECT LENGTH('{fill:%d}') AS n" % (20 * MEBIBYTE)),
    ]
    for size in range(VALUE_OF_FULL_PACKET - 1, VALUE_OF_FULL_PACKET + 2):
        steps += both(f"value of {size} bytes", f"SELECT REPEAT('x', {size}) AS v")
    for size in range(0xFFFFFF - WRAPPER_BYTES - 1, 0xFFFFFF - WRAPPER_BYTES + 2):
        step = query(f"text with {size} bytes", "SELECT LENGTH('{fill:%d}')" % size)
        # mysql2 miscounts packets about this size: the server itself ends the connection for it.
        steps.append(step | {"not_for": ["mysql2"]})
    steps.append(query("value of two full packets", f"SELECT REPEAT('x', {2 * 0xFFFFFF - 4}) AS v"))
    steps.append(query("after the large ones", "SELECT 'still here' AS answer"))
    return steps


def all_steps():
    return (session_steps() + type_steps() + parameter_steps() + error_steps() + warning_steps() + several_results_steps() +
            transaction_steps() + large_steps())


def expand(sql):
    """The statement with {fill:N} replaced."""
    head, separator, rest = sql.partition("{fill:")
    if not separator:
        return sql
    size, _, tail = rest.partition("}")
    return head + "x" * int(size) + tail


def client_script():
    """The same for a command line client: text only, parameters left out."""
    lines = ["USE shop;"]
    for step in all_steps():
        if step["op"] == "query" and step["sql"]:
            lines.append(f"SELECT '{step['id'].replace(chr(39), '')}' AS step;\n{expand(step['sql'])};")
        elif step["op"] == "multi":
            lines.append(f"{step['sql']};")
        elif step["op"] == "select_db":
            lines.append(f"USE {step['name']};")
    literal = "0x" + bytes(range(256)).hex() * 512
    lines.append(f"INSERT INTO driver_large VALUES (2, NULL, {literal});\nSELECT SHA2(bytes, 256) FROM driver_large WHERE id = 2;")
    lines.append("INSERT INTO driver_large VALUES (3, '" + "ü" * (10 * MEBIBYTE) + "', NULL);\nSELECT words FROM driver_large WHERE id = 3;")
    lines.append("PREPARE one FROM 'SELECT ? + 1 AS n, ? AS words';\nSET @a = 41, @b = 'ü😀';\nEXECUTE one USING @a, @b;\nDEALLOCATE PREPARE one;")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(json.dumps(all_steps(), ensure_ascii=False, indent=1))
