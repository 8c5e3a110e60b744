"""Where statements end and what is a comment: random texts, run as a text of several statements on the server, and as the
statements that the program makes of them.

The texts are of constants only. A generator puts them together from what lexers read differently: comments of every form,
executable ones with versions, quotes, backslashes, semicolons, bytes that are half of a character.
"""

import base64
import json
import random
import subprocess
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import pymysql
import pymysql.converters
from pymysql.constants import CLIENT

from lab import Failure

from agreement.analysis import RELEASES
from agreement.comments import bare_name
from agreement.comparison import Causes, one_line
from agreement.corpus import Setting, Statement
from agreement.oracle import ANSWER_SECONDS, LOST, SCHEMA, SYNTAX_ERROR, set_reading

SETTINGS = tuple(Setting(mode, charset) for mode, charset in (
    ("", "utf8mb4"), ("ANSI_QUOTES", "utf8mb4"), ("NO_BACKSLASH_ESCAPES", "utf8mb4"), ("PIPES_AS_CONCAT,IGNORE_SPACE", "latin1"),
    ("ANSI_QUOTES,NO_BACKSLASH_ESCAPES", "latin1"), ("", "latin1"), ("", "gbk"), ("", "sjis"), ("NO_BACKSLASH_ESCAPES", "big5")))
CHUNK = 500
ATOMS = (b"1", b"2", b"'a'", b'"b"', b"'it''s'", b"'\\''", b"'\\\\'", b"\"\\\"\"", b"';'", b"'/*'", b"'*/'", b"'-- '", b"'#'", b"`c`",
         b"0x41", b"x'41'", b"b'1'", b"1.5", b".5", b"1e1", b"N'n'", b"_latin1'l'", b"_utf8mb4 'u'", b"NULL", b"TRUE", b"@v", b"'a' 'b'",
         b"'\xe9'", b"'\x81\x5c'", b"'\x81\\'", b"\"\x81\x5c\"", b"'\xa1\x27'")
OPERATORS = (b"+", b"-", b"*", b"/", b",", b"||", b"--", b"- -", b"=", b"<", b">", b"!", b"*/", b" AS ", b" ", b"|", b"&", b"%")
BLANKS = (b" ", b"\n", b"\t", b"\r", b"\x0b", b"\x0c", b"\xa0", b"\0", b"")
COMMENTS = (b"/**/", b"/* */", b"/* ; */", b"/*'*/", b"/*\"*/", b"/*`*/", b"/*/*/", b"/***/", b"-- ;\n", b"--;\n", b"--\n", b"-- x\r", b"--\t'\n",
            b"#;\n", b"#'\n", b"# x\r\n", b"#", b"-- ", b"--", b"/*", b"*/", b"/*!", b"/*!*/", b"/*! +1 */", b"/*!50000 +1 */", b"/*!50000+1*/",
            b"/*!99999 +1 */", b"/*!999999 +1 */", b"/*!090800 +1 */", b"/*!100000 +1 */", b"/*!101100 +1 */", b"/*!101200 +1 */", b"/*!110000 +1 */", b"/*M! +1 */",
            b"/*M!100100 +1 */", b"/*M!999999 +1 */", b"/*m! +1 */", b"/*!5000 +1 */", b"/*!500000 +1 */", b"/*!0 +1 */", b"/*!50000", b"/*!99999",
            b"/*M!", b"/*!99999 /* */ +1 */", b"/*!50000 /* */ +1 */", b"/*!50000 -- x\n */", b"/*!99999 ' */", b"/*!50000 ; SELECT 3 */", b"/*!99999 ; SELECT 3 */",
            b"/*+ */", b"/*+ x */", b"/*+ ' */", b"/*+ QB_NAME(a) */", b"/*!50000 /*!50000 +1 */ */", b"/*!99999 /*!50000 +1 */ +2 */", b"/*! */ */")


def noise(source):
    return source.choice(BLANKS[:3]) if source.random() < 0.75 else source.choice(BLANKS + COMMENTS)


def one_statement(source):
    parts = [noise(source), b"SELECT" if source.random() < 0.97 else b"SELECT/*+", source.choice((b" ", b"", b"\n")), noise(source), source.choice(ATOMS)]
    for _ in range(source.randrange(4)):
        parts += [noise(source), source.choice(OPERATORS), noise(source), source.choice(ATOMS)]
    parts.append(noise(source))
    return b"".join(parts)


def text(source):
    """Some of several statements, some with a byte changed."""
    made = b";".join(one_statement(source) for _ in range(source.choice((1, 2, 2, 3))))
    if source.random() < 0.3:
        at = source.randrange(len(made))
        made = made[:at] + source.choice((b"", b";", b"'", b"\\", b"/", b"*", b"-", b"!", b"\n", b"\x81")) + made[at + source.randrange(2):]
    return made


@dataclass
class Splitting:
    texts: int = 0
    understood: int = 0
    statements: int = 0
    taken: int = 0  # understood, and a syntax error to the server
    differing: Causes = field(default_factory=Causes)


def connect(socket, setting):
    connection = pymysql.connect(unix_socket=str(socket), user="root", database=SCHEMA, autocommit=True, use_unicode=False,
                                 conv=pymysql.converters.encoders, charset="latin1", read_timeout=ANSWER_SECONDS,
                                 client_flag=CLIENT.MULTI_STATEMENTS)
    set_reading(connection, setting)
    return connection


def results(connection, sql):
    """Names and rows of each result, and at last the number of an error if there is one."""
    found = []
    try:
        connection.query(sql)
        while True:
            result = connection._result  # pylint: disable=protected-access
            found.append((tuple(column.name for column in getattr(result, "fields", None) or ()), tuple(result.rows or ())))
            if not result.has_next:
                return found
            connection.next_result()
    except pymysql.MySQLError as error:
        if error.args and error.args[0] in LOST:
            raise Failure(f"the server ended with {sql!r}") from None
        return [*found, error.args[0] if error.args else -1]


def readings(binary, kind, setting, texts):
    lines = b"".join(json.dumps({"sql_base64": base64.b64encode(one).decode(), "sql_mode": setting.sql_mode, "charset": setting.charset}).encode() + b"\n"
                     for one in texts)
    done = subprocess.run([str(binary), "sql", "analyze", "--server", RELEASES[kind], "--database", SCHEMA], input=lines, capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_part(binary, kind, socket, setting, seed):
    """What differs, as pairs of a cause and the text; how many texts were understood, and of how many statements; and how
    many of them the server refuses."""
    source = random.Random(seed)
    texts = [text(source) for _ in range(CHUNK)]
    connection = connect(socket, setting)
    differing, understood, statements, taken = [], 0, 0, 0
    for sql, reading in zip(texts, readings(binary, kind, setting, texts), strict=True):
        if not reading["ok"]:
            continue
        understood += 1
        whole = results(connection, sql)
        taken += whole[-1:] == [SYNTAX_ERROR]
        for printed in ("canonical", "emitted"):
            apart = [one for statement in reading["statements"] for one in results(connection, printed_as(statement, printed))]
            apart = apart[:next((at + 1 for at, one in enumerate(apart) if isinstance(one, int)), None)]
            if cause := difference(whole, apart, [len(statement["output"]) for statement in reading["statements"]]):
                differing.append((f"{printed}: {cause}", sql, f"{whole} >>> {apart}"))
        statements += len(reading["statements"])
    connection.close()
    return differing, understood, statements, taken


def printed_as(statement, name):
    """The canonical text where there is no other: what is emitted is the text itself then. Of comments alone one is left,
    which is something else than nothing to the servers."""
    if statement["kind"] == "empty":
        return b"/**/" if "emitted" in statement else b""
    for member in (name, "canonical"):
        if f"{member}_base64" in statement:
            return base64.b64decode(statement[f"{member}_base64"])
        if member in statement:
            return statement[member].encode()
    raise Failure(f"sallyport sql analyze gives no {name} text: {statement}")


def difference(whole, apart, column_counts):
    if whole[-1:] == [SYNTAX_ERROR]:
        whole, apart = whole[:-1], apart[:len(whole) - 1]
    if len(whole) != len(apart):
        return f"{len(whole)} results, {len(apart)} apart"
    for one, other, columns in zip(whole, apart, column_counts):
        if isinstance(one, int) or isinstance(other, int):
            if one != other:
                return "another error" if isinstance(one, int) and isinstance(other, int) else "an error on one side"
        elif one[1] != other[1]:
            return "other rows"
        elif len(one[0]) != columns:
            return "another number of columns"
    return None


def run(binary, oracle, count, workers, seed):
    found = Splitting()
    parts = [(SETTINGS[at % len(SETTINGS)], seed * 1000003 + at) for at in range((count + CHUNK - 1) // CHUNK)]
    with ProcessPoolExecutor(workers) as processes:
        done = processes.map(run_part, [binary] * len(parts), [oracle.kind] * len(parts), [oracle.socket] * len(parts),
                             [setting for setting, _ in parts], [part_seed for _, part_seed in parts])
        for (setting, _), (differing, understood, statements, taken) in zip(parts, done):
            found.texts += CHUNK
            found.understood += understood
            found.statements += statements
            found.taken += taken
            for cause, sql, said in differing:
                found.differing.add(cause, f"{one_line(sql)} >>> {said[:300]}", Statement(sql, setting))
    return found
