"""What `sallyport sql analyze` says of queries, against what the servers make of them."""

import json
import os
import subprocess

import pymysql
import pymysql.cursors
import pytest

from laboratory import REPOSITORY
from query_generator import NOTES, ORDERS, PEOPLE, SCHEMA, SECRETS, TABLES, queries

COUNT = int(os.environ.get("SALLYPORT_TEST_QUERIES", "2000"))
SEED = int(os.environ.get("SALLYPORT_TEST_SEED", "1"))
DATABASES = ("lineage_one", "lineage_two")
RELEASES = {"mariadb": "mariadb-10.11", "mysql": "mysql-9.7"}


def analysed(kind, statements):
    """What the analysis says of each statement in the first database."""
    schema = REPOSITORY / "build" / f"lineage-{kind}-{os.getpid()}.sql"
    schema.parent.mkdir(exist_ok=True)
    schema.write_text(SCHEMA, encoding="utf-8")
    try:
        binary = os.environ.get("SALLYPORT_BINARY", REPOSITORY / "build" / "release" / "bin" / "sallyport")
        done = subprocess.run([str(binary), "sql", "analyze", "--server", RELEASES[kind], "--schema", str(schema), "--database",
                               DATABASES[0]], input="".join(json.dumps({"sql": one}) + "\n" for one in statements),
                              capture_output=True, text=True, timeout=600, check=False)
    finally:
        schema.unlink()
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(statements)
    return answers


@pytest.fixture(scope="module")
def databases(lab):
    """A connection for each of two databases, which differ in the values of people.secret alone."""
    made = []
    for name, secrets in zip(DATABASES, SECRETS):
        connection = pymysql.connect(unix_socket=str(lab.values["LAB_SERVER_SOCKET"]), user="root", autocommit=True,
                                     charset="utf8mb4")
        cursor = connection.cursor()
        cursor.execute(f"DROP DATABASE IF EXISTS {name}")
        cursor.execute(f"CREATE DATABASE {name}")
        cursor.execute(f"USE {name}")
        cursor.execute("SET SESSION sql_mode = ''")
        for statement in SCHEMA.split(";"):
            if statement.strip():
                cursor.execute(statement)
        cursor.executemany("INSERT INTO people (id, name, secret, age) VALUES (%s, %s, %s, %s)",
                           [(number, name_, secret, age) for (number, name_, age), secret in zip(PEOPLE, secrets)])
        cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s, %s)", ORDERS)
        cursor.executemany("INSERT INTO notes VALUES (%s, %s, %s)", NOTES)
        made.append(connection)
    yield made
    for name, connection in zip(DATABASES, made):
        connection.cursor().execute(f"DROP DATABASE {name}")
        connection.close()


def outcome(connection, statement):
    """Columns and rows of a query, or its error."""
    cursor = connection.cursor()
    try:
        cursor.execute(statement)
        fields = [(field.name, field.org_table, field.org_name) for field in cursor._result.fields]  # pylint: disable=protected-access
        return fields, cursor.fetchall()
    except pymysql.MySQLError as error:
        return None, error.args[0]


def same(one, other):
    """Rows in any order: that of a query without ORDER BY is nobody's promise."""
    if not isinstance(one, (list, tuple)) or not isinstance(other, (list, tuple)):
        return one == other
    return sorted(map(repr, one)) == sorted(map(repr, other))


def names_secret(facts):
    secret = {f"{DATABASES[0]}.people.secret", f"{DATABASES[0]}.people.shout"}
    named = set(facts["influences"])
    for column in facts["output"]:
        named |= set(column["copied"]) | set(column["derived"])
    return bool(named & secret)


def name_is(kind, statement, output, place, name):
    """MySQL 9.7 gives a column of a merged derived table that a SELECT DISTINCT has twice the last of its names, where the
    server knows its value before it runs the query: a constant, or a subquery that depends on nothing outside."""
    column = output[place]
    twins = [other["name"] for other in output[place + 1:] if all(other[what] == column[what] for what in ("copied", "derived"))]
    return column["name"] == name or (kind == "mysql" and "DISTINCT" in statement and name in twins)


def test_queries_have_the_columns_and_origins_that_the_analysis_says(kind, databases):
    statements = queries(SEED, COUNT, kind)
    checked = origins = 0
    for statement, answer in zip(statements, analysed(kind, statements)):
        fields, _ = outcome(databases[0], statement)
        if fields is None:
            continue
        assert answer["ok"], (statement, answer)
        facts = answer["statements"][0]
        if not facts["output_certain"]:
            continue
        checked += 1
        names = [field[0] for field in fields]
        assert len(names) == len(facts["output"]), statement
        assert all(name_is(kind, statement, facts["output"], place, name) for place, name in enumerate(names)), (
            statement, facts["output"], names)
        for column, (_, table, name) in zip(facts["output"], fields):
            if table in ("people", "orders", "notes") and name and column["certain"]:
                origins += 1
                # Of a view or a derived table that it has merged a server may name the table and its own column's name.
                own = f"{DATABASES[0]}.{table}.{name}" if name in TABLES[table] else f"{DATABASES[0]}.{table}."
                assert any(source.startswith(own) for source in column["copied"]), (statement, column, own)
    assert checked > COUNT / 2 and origins > COUNT / 4, "the generator makes queries that run"


def test_where_a_columns_values_make_a_difference_the_analysis_names_it(kind, databases):
    statements = queries(SEED + 1, COUNT, kind)
    different = same_throughout = 0
    for statement, answer in zip(statements, analysed(kind, statements)):
        (_, one), (_, other) = (outcome(database, statement) for database in databases)
        if same(one, other):
            same_throughout += 1
            continue
        different += 1
        assert answer["ok"], (statement, answer)
        facts = answer["statements"][0]
        assert names_secret(facts) or not facts["certain"], f"{statement}\n{one}\n{other}\n{facts}"
    assert different > COUNT / 20 and same_throughout > COUNT / 20, "the generator makes queries of both kinds"
