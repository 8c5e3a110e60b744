"""Statements run on the server: what is made of their texts gives what they give.

The tests' tables are made as the tests make them, in a schema of a private server, and each query is run where it stands.
Only statements of some kinds are run, and none that waits, reads or writes files, or concerns the server as a whole.
"""

import random
import re
import sys
import time
from dataclasses import dataclass, field

import pymysql

from agreement import analysis, comments
from agreement.comparison import EXAMPLE_BYTES, Causes, one_line
from agreement.corpus import REPOSITORY, Setting, Statement, test_files, test_statements
from agreement.oracle import LOST, SCHEMA, connect_again, set_reading

sys.path.append(str(REPOSITORY / "tests" / "integration"))
from query_generator import NOTES, ORDERS, PEOPLE, SCHEMA as GENERATED_SCHEMA, SECRETS, queries  # noqa: E402 pylint: disable=wrong-import-position

ASKS = re.compile(rb"(?:\s|\()*(?:select|with|values|table|"
                  rb"show\s+(?:full\s+)?(?:columns|fields|tables|index|indexes|keys|create\s+(?:table|view)|character|collation))\b",
                  re.IGNORECASE)
BUILDS = re.compile(rb"\s*(?:create\s+(?:or\s+replace\s+)?(?:temporary\s+)?(?:table|view|(?:unique\s+|fulltext\s+|spatial\s+)?index)|"
                    rb"insert|replace|update|delete|truncate|alter\s+table|analyze\s+table|"
                    rb"drop\s+(?:temporary\s+)?(?:table|view|index))\b", re.IGNORECASE)
NEVER = re.compile(rb"\b(?:sleep|benchmark|get_lock|release_lock|release_all_locks|load_file|outfile|dumpfile|infile|kill|shutdown|"
                   rb"master_pos_wait|source_pos_wait|master_gtid_wait|wait_\w+|debug_sync|restart|directory|federated|connection|"
                   rb"server|mysql|sys|performance_schema|information_schema|procedure|nextval|setval|global|persist)\b|"
                   rb"@@|\bselect\b.*\binto\b", re.IGNORECASE | re.DOTALL)
LIMITS = {"mariadb": "SET SESSION max_statement_time = 2, sql_select_limit = 5000, lock_wait_timeout = 3",
          "mysql": "SET SESSION max_execution_time = 2000, sql_select_limit = 5000, lock_wait_timeout = 3"}
FILE_SECONDS = 20
FILES_AT_ONCE = 24
GENERATED_SHARE = 0.2
NAME_CHARACTERS_MAX = 250


@dataclass
class Results:
    queries: int = 0
    commented: int = 0  # of these, with comments in them
    renamed: int = 0  # and a long name is cut elsewhere, or one beyond ASCII is without its comment
    canonical: int = 0
    unsteady: int = 0  # give another result each time
    differing: Causes = field(default_factory=Causes)


@dataclass(frozen=True)
class Query:
    """One that is run, with its reading; and with comments in it, with that reading."""

    statement: Statement
    reading: analysis.Reading
    commented: Statement | None
    commented_reading: analysis.Reading | None


class Session:
    """A connection with limits, in a schema that is empty at first."""

    def __init__(self, oracle):
        self.oracle, self.state = oracle, None
        self.open()

    def open(self):
        self.connection = connect_again(self.oracle.socket)
        self.execute(LIMITS[self.oracle.kind].encode())

    def close(self):
        self.connection.close()

    def execute(self, sql):
        """Columns and rows of a query, ((), ()) of others; or the error's number."""
        try:
            self.connection.query(sql)
            result = self.connection._result  # pylint: disable=protected-access
            columns = tuple((column.name, column.org_table, column.org_name, column.type_code) for column in getattr(result, "fields", None) or ())
            return columns, tuple(result.rows or ())
        except pymysql.MySQLError as error:
            if error.args and error.args[0] in LOST:
                raise TimeoutError(str(error)) from None
            return error.args[0] if error.args else -1
        except OSError as error:
            raise TimeoutError(str(error)) from None

    def fresh_schema(self):
        self.execute(f"DROP DATABASE IF EXISTS {SCHEMA}".encode())
        self.execute(f"CREATE DATABASE {SCHEMA} CHARACTER SET latin1".encode())
        self.execute(f"USE {SCHEMA}".encode())

    def take_on(self, test_statement):
        """The sql_mode and character set that the test had at this statement."""
        setting, mode = test_statement.statement.setting, test_statement.sql_mode
        if (setting, mode) == self.state:
            return
        set_reading(self.connection, setting)
        if mode is None and not setting.sql_mode:
            self.execute(b"SET SESSION sql_mode = DEFAULT")
        elif mode is not None:
            self.execute(b"SET SESSION sql_mode = '" + mode.replace("'", "").replace("\\", "").encode() + b"'")
        self.state = setting, mode


def same_but_for_comments(name, sent):
    """Names without comments, as far as both go: MySQL cuts long ones."""
    bare, bare_sent = comments.bare_name(name), comments.bare_name(sent)
    compared = min(len(bare), len(bare_sent)) if max(len(name), len(sent)) >= NAME_CHARACTERS_MAX else None
    return bare[:compared] == bare_sent[:compared]


def names_agree(name, sent, is_ascii):
    """The same; but MySQL cuts an alias one character later than a text, and what is not ASCII stays without its comment."""
    return name == sent or ((len(name) >= NAME_CHARACTERS_MAX or not is_ascii) and same_but_for_comments(name, sent))


def columns_agree(columns, sent, is_ascii):
    """`is_ascii`: the text is. `own`, the column's name in its table, is the alias of no column of a table."""
    return len(columns) == len(sent) and all(
        table == other_table and kind == other_kind and names_agree(name, other, is_ascii) and (own == other_own or not table)
        for (name, table, own, kind), (other, other_table, other_own, other_kind) in zip(columns, sent))


def same_rows(one, other):
    """In any order: a query without ORDER BY promises none."""
    return one == other or sorted(map(repr, one)) == sorted(map(repr, other))


class Comparison:
    def __init__(self, session, results):
        self.session, self.results = session, results

    def run(self, query):
        """Runs a query and what is made of it; adds to the results when it runs and gives the same again."""
        first = self.session.execute(query.statement.sql)
        if isinstance(first, int):
            return
        second = self.session.execute(query.statement.sql)
        if isinstance(second, int) or second[0] != first[0] or not same_rows(first[1], second[1]):
            self.results.unsteady += 1
            return
        self.results.queries += 1
        self.compare(query.statement, query.reading, first)
        self.results.canonical += 1
        canonical = self.session.execute(query.reading.canonical)
        if isinstance(canonical, int) or len(canonical[0]) != len(first[0]) or not same_rows(first[1], canonical[1]):
            self.differs("canonical text", query.statement, query.reading.canonical, first, canonical)
        if query.commented:
            commented = self.session.execute(query.commented.sql)
            if not isinstance(commented, int):
                self.compare(query.commented, query.commented_reading, commented)

    def compare(self, statement, reading, original):
        """The text that is sent gives the original's rows under the original's names."""
        if reading.emitted is None:
            return
        self.results.commented += 1
        emitted = self.session.execute(reading.emitted)
        if isinstance(emitted, int) or not same_rows(original[1], emitted[1]):
            self.differs("text that is sent, rows", statement, reading.emitted, original, emitted)
        elif emitted[0] == original[0]:
            return
        elif columns_agree(original[0], emitted[0], statement.sql.isascii()):
            self.results.renamed += 1
        else:
            self.differs("text that is sent, columns", statement, reading.emitted, original, emitted)

    def differs(self, what, statement, text, original, other):
        """A difference counts when the original gives the same once more."""
        again = self.session.execute(statement.sql)
        if isinstance(again, int) or not same_rows(again[1], original[1]):
            self.results.unsteady += 1
            return
        said = f"error {other}" if isinstance(other, int) else f"{other}"[:4 * EXAMPLE_BYTES]
        example = (f"{one_line(statement.sql[:4 * EXAMPLE_BYTES])} >>> {one_line(text[:4 * EXAMPLE_BYTES])}: "
                   f"{str(original)[:4 * EXAMPLE_BYTES]} >>> {said}")
        self.results.differing.add(f"{what}{f', error {other}' if isinstance(other, int) else ''}", example, statement)


def read_queries(binary, kind, statements, workers, seed):
    """By statement, a Query for each that the program takes."""
    source = random.Random(seed)
    unique = list(dict.fromkeys(statements))
    commented = [comments.with_comments(one.sql, source) for one in unique]
    commented = [Statement(text, one.setting) if text and not one.setting.sql_mode else None for one, text in zip(unique, commented)]
    readings = analysis.read(binary, kind, unique, workers)
    others = iter(analysis.read(binary, kind, [one for one in commented if one], workers))
    found = {}
    for statement, reading, other in zip(unique, readings, commented):
        other_reading = next(others) if other else None
        if other_reading and other_reading.code is not None:
            other = other_reading = None
        if reading.code is None:
            found[statement] = Query(statement, reading, other, other_reading)
    return found


def run_generated(binary, oracle, count, workers, seed, results):
    session = Session(oracle)
    session.fresh_schema()
    session.execute(b"SET SESSION sql_mode = ''")
    cursor = session.connection.cursor()
    for statement in filter(str.strip, GENERATED_SCHEMA.split(";")):
        cursor.execute(statement)
    cursor.executemany("INSERT INTO people (id, name, secret, age) VALUES (%s, %s, %s, %s)",
                       [(number, name, secret, age) for (number, name, age), secret in zip(PEOPLE, SECRETS[0])])
    cursor.executemany("INSERT INTO orders VALUES (%s, %s, %s, %s)", ORDERS)
    cursor.executemany("INSERT INTO notes VALUES (%s, %s, %s)", NOTES)
    statements = [Statement(text.encode(), Setting("", "utf8mb4")) for text in queries(seed, count, oracle.kind)]
    comparison = Comparison(session, results)
    for query in read_queries(binary, oracle.kind, statements, workers, seed).values():
        comparison.run(query)
    session.close()


def run_file(session, statements, known, results):
    deadline = time.monotonic() + FILE_SECONDS
    comparison = Comparison(session, results)
    session.fresh_schema()
    done = set()
    for one in statements:
        sql = one.statement.sql
        if time.monotonic() > deadline:
            return
        asks = ASKS.match(sql)
        if NEVER.search(sql) or not (asks or BUILDS.match(sql)):
            continue
        session.take_on(one)
        if not asks:
            session.execute(sql)
        elif one.statement in known and one.statement not in done:
            done.add(one.statement)
            comparison.run(known[one.statement])


def run_tests(binary, oracle, suite, count, workers, seed, results):
    files = [path for path in test_files(suite) if path.suffix == ".test"]
    random.Random(seed).shuffle(files)
    aim = results.queries + count
    while files and results.queries < aim:
        batch = [test_statements(path, oracle.kind) for path in files[:FILES_AT_ONCE]]
        del files[:FILES_AT_ONCE]
        asked = [one.statement for part in batch for one in part if ASKS.match(one.statement.sql) and not NEVER.search(one.statement.sql)]
        known = read_queries(binary, oracle.kind, asked, workers, seed)
        for statements in batch:
            if results.queries >= aim:
                break
            session = Session(oracle)
            try:
                run_file(session, statements, known, results)
            except TimeoutError:
                results.unsteady += 1
            finally:
                session.close()


def run(binary, oracle, suite, count, workers, seed):
    results = Results()
    run_generated(binary, oracle, int(count * GENERATED_SHARE), workers, seed, results)
    run_tests(binary, oracle, suite, count - results.queries, workers, seed, results)
    return results
