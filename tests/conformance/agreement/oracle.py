"""The servers' own word: a private server, asked of each statement whether it parses.

A statement is prepared in the binary protocol and closed; nothing is executed. There is a default schema, and it is empty.
"""

import hashlib
import shutil
import sqlite3
import struct
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import groupby
from pathlib import Path

import pymysql
import pymysql.converters

from lab import Failure, certificates
from lab.processes import free_port
from lab.servers import KINDS

COM_STMT_PREPARE, COM_STMT_CLOSE = 0x16, 0x19
SYNTAX_ERROR = 1064
# Prepared; then what is only found after parsing: not preparable, and no such schema, table, column or routine.
PARSED = frozenset({0, 1295, 1049, 1146, 1054, 1305})
LOST = (2006, 2013, 2014)
NEVER_ANSWERED = 2013
ANSWER_SECONDS = 30
RESTART_SECONDS = 90
ATTEMPTS = 3
CHUNK = 2000
SCHEMA = "test"
MEMORY_BYTES_LEAST = 3 << 30
OPTIONS = {"mariadb": ("--max-statement-time=20",), "mysql": ("--max-execution-time=20000",)}


def memory_directory():
    try:
        return "/dev/shm" if shutil.disk_usage("/dev/shm").free >= MEMORY_BYTES_LEAST else None
    except OSError:
        return None


def pymysql_connection(socket):
    """One whose texts are bytes on both sides, whatever the session's character set."""
    connection = pymysql.connect(unix_socket=str(socket), user="root", database=SCHEMA, autocommit=True, use_unicode=False,
                                 conv=pymysql.converters.encoders, charset="latin1", read_timeout=ANSWER_SECONDS, write_timeout=ANSWER_SECONDS)
    connection.encoding = "latin-1"
    return connection


class Oracle:
    """A private server. Use it in a `with`. It is started again when a statement has ended it."""

    def __init__(self, kind):
        self.kind, self.crashes, self.ended = kind, 0, False

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-sql-", dir=memory_directory()))
        try:
            certificates.make(self.directory / "tls")
            self.socket = self.directory / "s.sock"
            self.server = KINDS[self.kind](self.directory, self.socket, free_port(), self.directory / "tls")
            self.server.options = (*self.server.options, *OPTIONS[self.kind])
            self.server.start()
            self.server.execute(f"CREATE DATABASE {SCHEMA} CHARACTER SET utf8mb4")
            self.version = self.server.version()
        except BaseException:
            self.__exit__()
            raise
        self.keeper = threading.Thread(target=self.keep, daemon=True)
        self.keeper.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        if hasattr(self, "server"):
            self.server.program.stop()
        if hasattr(self, "keeper"):
            self.keeper.join(RESTART_SECONDS)
        shutil.rmtree(self.directory, ignore_errors=True)

    def keep(self):
        while True:
            self.server.program.process.wait()
            if self.ended:
                return
            self.crashes += 1
            try:
                self.server.run()
            except Failure as failure:
                if not self.ended:
                    print(f"conformance: {failure}", flush=True)
                return


def connect_again(socket):
    deadline = time.monotonic() + RESTART_SECONDS
    while True:
        try:
            return pymysql_connection(socket)
        except pymysql.OperationalError:
            if time.monotonic() > deadline:
                raise Failure("the server does not come back") from None
            time.sleep(0.1)


def set_reading(connection, setting):
    with connection.cursor() as cursor:
        cursor.execute(f"SET NAMES {setting.charset}")
        cursor.execute("SET SESSION sql_mode = %s", (setting.sql_mode,))
    connection.encoding = "latin-1"


def prepare(connection, sql):
    """The error number of preparing it; 0 when it was prepared. Source: "COM_STMT_PREPARE", both servers' protocol."""
    try:
        connection._execute_command(COM_STMT_PREPARE, sql)  # pylint: disable=protected-access
        answer = connection._read_packet()._data  # pylint: disable=protected-access
    except pymysql.MySQLError as error:
        return error.args[0]
    statement, column_count, parameter_count = struct.unpack_from("<IHH", answer, 1)
    for count in (parameter_count, column_count):
        for _ in range(count + (count > 0)):  # definitions, and the EOF behind them
            connection._read_packet()  # pylint: disable=protected-access
    connection._execute_command(COM_STMT_CLOSE, struct.pack("<I", statement))  # pylint: disable=protected-access
    return 0


def ask_chunk(socket, setting, texts):
    connection = connect_again(socket)
    set_reading(connection, setting)
    answers = []
    for text in texts:
        answer = NEVER_ANSWERED
        for _ in range(ATTEMPTS):
            try:
                answer = prepare(connection, text)
            except (OSError, struct.error):
                answer = NEVER_ANSWERED
            if answer not in LOST:
                break
            # Another statement may have ended the server.
            connection = connect_again(socket)
            set_reading(connection, setting)
        answers.append(answer)
    connection.close()
    return answers


class Verdicts:
    """Answers of one version of a server that earlier runs have got, in a file."""

    def __init__(self, path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.database = sqlite3.connect(path)
        self.database.execute("CREATE TABLE IF NOT EXISTS verdicts (statement BLOB PRIMARY KEY, answer INTEGER) WITHOUT ROWID")

    @staticmethod
    def key(statement):
        setting = f"{statement.setting.sql_mode}\0{statement.setting.charset}\0".encode()
        return hashlib.blake2b(setting + statement.sql, digest_size=16).digest()

    def known(self, statements):
        found = {}
        for statement in statements:
            row = self.database.execute("SELECT answer FROM verdicts WHERE statement = ?", (self.key(statement),)).fetchone()
            if row:
                found[statement] = row[0]
        return found

    def keep(self, answers):
        with self.database:
            self.database.executemany("INSERT OR REPLACE INTO verdicts VALUES (?, ?)",
                                      [(self.key(statement), answer) for statement, answer in answers.items()
                                       if answer != NEVER_ANSWERED])


def chunks(statements):
    by_setting = sorted(statements, key=lambda one: (one.setting.sql_mode, one.setting.charset))
    for setting, group in groupby(by_setting, key=lambda one: one.setting):
        group = list(group)
        for begin in range(0, len(group), CHUNK):
            yield setting, group[begin:begin + CHUNK]


def ask(oracle, statements, verdicts, workers):
    """The server's error number for each statement."""
    answers = verdicts.known(statements) if verdicts else {}
    parts = list(chunks([one for one in dict.fromkeys(statements) if one not in answers]))
    with ProcessPoolExecutor(workers) as processes:
        asked = processes.map(ask_chunk, [oracle.socket] * len(parts), [setting for setting, _ in parts],
                              [[one.sql for one in part] for _, part in parts])
        for (_, part), numbers in zip(parts, asked):
            fresh = dict(zip(part, numbers))
            answers |= fresh
            if verdicts:
                verdicts.keep(fresh)
    return answers
