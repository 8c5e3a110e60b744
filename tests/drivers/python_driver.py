"""Runs the script with a Python driver, PyMySQL or mysqlclient, and prints what it saw as JSON.

usage: python_driver.py pymysql|mysqlclient      (DRIVER_* in the environment, see README.md)
"""

import hashlib
import json
import os
import sys

from script import expand

LONG = 200  # characters; what is longer is printed as a digest


def seen(value):
    """A value as the driver gave it, with its type, so that 1 and '1' differ."""
    kind = type(value).__name__
    if isinstance(value, (bytes, bytearray)):
        return [kind, shortened(bytes(value).hex())]
    return [kind, shortened(str(value))]


def shortened(text):
    if len(text) <= LONG:
        return text
    return f"{len(text)} characters, sha256 {hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def parameter(given):
    if not isinstance(given, dict):
        return given
    if "fill" not in given:
        return bytes.fromhex(given["bytes"])
    unit = given["fill"].encode()
    value = unit * (given["bytes"] // len(unit))
    return value if given["as"] == "bytes" else value.decode()


def result(cursor):
    rows = cursor.fetchall() if cursor.description else ()
    printed = [[seen(value) for value in row] for row in rows]
    if len(printed) > 100:
        printed = [shortened(json.dumps(printed))]
    columns = [[str(field) for field in column] for column in cursor.description or ()]
    return {"columns": columns, "rows": printed, "row_count": cursor.rowcount, "last_id": cursor.lastrowid,
            "flags": list(getattr(cursor, "description_flags", None) or ())}


def all_results(cursor):
    results = [result(cursor)]
    while cursor.nextset():
        results.append(result(cursor))
    return results


def connect_pymysql(pymysql):
    return pymysql.connect(host=os.environ["DRIVER_HOST"], port=int(os.environ["DRIVER_PORT"]), user=os.environ["DRIVER_USER"],
                           password=os.environ["DRIVER_PASSWORD"], database=os.environ.get("DRIVER_DATABASE"),
                           ssl_ca=os.environ["DRIVER_CA"], ssl_verify_cert=True, ssl_verify_identity=True, charset="utf8mb4",
                           max_allowed_packet=64 << 20, client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS, autocommit=None)


def connect_mysqlclient(mysqldb):
    from MySQLdb.constants import CLIENT  # pylint: disable=import-outside-toplevel
    optional = {"database": os.environ["DRIVER_DATABASE"]} if "DRIVER_DATABASE" in os.environ else {}
    return mysqldb.connect(host=os.environ["DRIVER_HOST"], port=int(os.environ["DRIVER_PORT"]), user=os.environ["DRIVER_USER"],
                           password=os.environ["DRIVER_PASSWORD"], ssl={"ca": os.environ["DRIVER_CA"]}, charset="utf8mb4",
                           client_flag=CLIENT.MULTI_STATEMENTS, autocommit=None, compress=bool(os.environ.get("DRIVER_COMPRESSION")), **optional)


def run(connection, step):
    if step["op"] == "ping":
        connection.ping()
        return "pong"
    if step["op"] == "select_db":
        connection.select_db(step["name"])
        return "selected"
    cursor = connection.cursor()
    try:
        if step["op"] != "execute":
            cursor.execute(expand(step["sql"]))
            return all_results(cursor)
        results = []
        sql = step["sql"].replace("%", "%%").replace("?", "%s") if step["params"] else step["sql"]
        values = [parameter(one) for one in step["params"]] or None
        for _ in range(step["times"]):
            cursor.execute(sql, values)
            results += all_results(cursor)
        return results
    finally:
        cursor.close()


def main():
    if sys.argv[1] == "pymysql":
        import pymysql as driver  # pylint: disable=import-outside-toplevel
        connect = connect_pymysql
    else:
        import MySQLdb as driver  # pylint: disable=import-outside-toplevel
        connect = connect_mysqlclient
    try:
        connection = connect(driver)
    except driver.Error as error:
        print(json.dumps({"refused": [str(one) for one in error.args]}))
        return
    if os.environ.get("DRIVER_INIT"):
        connection.cursor().execute(os.environ["DRIVER_INIT"])
    print(json.dumps({"server": connection.get_server_info()}))
    with open(os.environ["DRIVER_STEPS"], encoding="utf-8") as file:
        steps = json.load(file)
    for step in steps:
        if sys.argv[1] in step.get("not_for", ()):
            continue
        try:
            outcome = run(connection, step)
        except driver.Error as error:
            outcome = {"error": [type(error).__name__, *map(seen, error.args)]}
        print(json.dumps({"id": step["id"], "outcome": outcome}, ensure_ascii=False), flush=True)
    connection.close()


main()
