"""The statements to ask about: from the suites as installed, or from a file of them."""

import base64
import gzip
import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lab import Failure

from agreement.session_state import reading_charset, reading_modes
from agreement.test_language import statements_of

REPOSITORY = Path(__file__).resolve().parents[3]
MARIADB_SUITE = Path("/usr/share/mysql/mysql-test")
STATEMENT_BYTES_MAX = 1 << 20


@dataclass(frozen=True)
class Setting:
    """What of a session changes how its statements are read."""

    sql_mode: str
    charset: str


@dataclass(frozen=True)
class Statement:
    sql: bytes
    setting: Setting


@dataclass(frozen=True)
class TestStatement:
    """One of a test, with the sql_mode as the test set it (None: the server's default)."""

    statement: Statement
    sql_mode: str | None


def mysql_suite():
    done = subprocess.run([str(REPOSITORY / "tools" / "mysql-server"), "--testsuite"], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        raise Failure("MySQL's regression suite can't be had (above).")
    return Path(dict(line.split("=", 1) for line in done.stdout.splitlines())["MYSQL_TESTSUITE"])


def suites():
    if not MARIADB_SUITE.is_dir():
        raise Failure("Debian's mariadb-test is missing. Run tools/install-deps test.")
    return {"mariadb": MARIADB_SUITE, "mysql": mysql_suite()}


def test_files(suite):
    """The files that hold statements, in a settled order."""
    return sorted(path for ending in ("*.test", "*.inc") for path in suite.rglob(ending) if path.is_file())


def in_setting(sql, sql_mode, charset, kind):
    """A statement as a server of `kind` is to be asked."""
    return Statement(sql, Setting(reading_modes(sql_mode, kind), reading_charset(charset, sql, kind)))


def test_statements(path, kind):
    return [TestStatement(in_setting(found.sql, found.sql_mode, found.charset, kind), found.sql_mode) for found in statements_of(path.read_bytes())
            if len(found.sql) <= STATEMENT_BYTES_MAX]


def found_in(path):
    """Text, sql_mode and character set of what is in a file, each once."""
    return list(dict.fromkeys((found.sql, found.sql_mode, found.charset) for found in statements_of(path.read_bytes())
                              if len(found.sql) <= STATEMENT_BYTES_MAX))


def from_suites(directories, share=1.0):
    """Text, sql_mode and character set of all statements, each once: both suites go to both servers. `share` of the files, if it
    is less than 1, chosen by a hash of their names."""
    files = [path for directory in directories for path in test_files(directory)
             if share_of(str(path.relative_to(directory)).encode()) < share]
    with ProcessPoolExecutor(os.cpu_count()) as processes:
        return list(dict.fromkeys(one for found in processes.map(found_in, files, chunksize=64) for one in found))


def from_file(path):
    """The same of lines of JSON: `sql` or `sql_b64`, and perhaps `sql_mode` and `names`."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                entry = json.loads(line)
                sql = entry["sql"].encode() if "sql" in entry else base64.b64decode(entry["sql_b64"])
            except (ValueError, KeyError, TypeError, AttributeError):
                raise Failure(f"{path}:{number}: this is no object with a text `sql` or `sql_b64`") from None
            yield sql, entry.get("sql_mode"), (entry.get("names") or "").lower() or None


def share_of(text):
    """A number from 0 to 1 that a text has in every run: for samples."""
    return int.from_bytes(hashlib.blake2b(text, digest_size=6).digest(), "big") / (1 << 48)


def sample(statements, count):
    """Each statement once; of more than `count` those that a hash chooses."""
    unique = list(dict.fromkeys(statements))
    if count is None or len(unique) <= count:
        return unique
    return sorted(unique, key=lambda one: share_of(one.sql))[:count]


def note(kind, text):
    """What is being done, for whoever waits."""
    print(f"conformance: {time.strftime('%H:%M:%S')} {kind}: {text}", file=sys.stderr, flush=True)
