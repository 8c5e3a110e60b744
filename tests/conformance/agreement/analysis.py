"""What the program says of statements."""

import base64
import hashlib
import json
import re
import subprocess
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from lab import Failure

from agreement.comments import bare_name

RELEASES = {"mariadb": "mariadb-10.11", "mysql": "mysql-9.7"}
CHUNK = 4000
# What depends on how the text is written, not on what it says.
WRITTEN = ("canonical", "canonical_base64", "normalised_base64", "emitted", "emitted_base64", "doubts")
FACTS = ("certain", "changes_session", "digest", "dynamic_sql", "files_read", "files_written", "flows", "functions", "has_limit",
         "has_where", "implicit_commit", "influences", "influences_certain", "kind", "marked_functions", "normalised", "objects",
         "output", "output_certain", "reads", "variables_read", "variables_written", "where_restricts", "writes")
# What is told as it is written, where case says nothing.
AS_WRITTEN = ("functions", "marked_functions", "variables_read", "variables_written")
SETS = ("reads", "writes", "influences")
# A new table's column is named by the expression that it comes from.
WRITTEN_MARKS = re.compile(r"[`\s]")
HASH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """`code` is None for one statement that was understood, else it says why not, with the offset."""

    code: str | None
    offset: int = 0
    kind: str = ""
    canonical: bytes = b""
    emitted: bytes | None = None  # None: the text itself is what is sent
    facts: bytes = b""  # of each member that says something of it, in the order of FACTS, a hash
    names: tuple = ()


def text_member(statement, name):
    coded = statement.get(f"{name}_base64")
    return base64.b64decode(coded) if coded else statement[name].encode()


def differing_facts(one, other):
    """Names of what two readings say differently."""
    return [name for at, name in enumerate(FACTS)
            if one.facts[at * HASH_BYTES:(at + 1) * HASH_BYTES] != other.facts[at * HASH_BYTES:(at + 1) * HASH_BYTES]]


def reading_of(answer):
    if not answer["ok"]:
        return Reading(answer["error"]["code"], answer["error"]["offset"])
    statement, *others = answer["statements"]
    if any(other["kind"] != "empty" for other in others):  # a comment behind a semicolon is none
        return Reading("several_statements")
    if unknown := set(statement) - set(FACTS) - set(WRITTEN):
        raise Failure(f"sallyport sql analyze says {', '.join(sorted(unknown))}, which is not compared: add it to FACTS or WRITTEN")
    names = tuple(column["name"] for column in statement["output"])
    for column in statement["output"]:
        del column["name"]
    for name in AS_WRITTEN:
        statement[name] = sorted({WRITTEN_MARKS.sub("", one).lower() for one in statement[name]})
    for name in SETS:
        statement[name] = sorted(statement[name])
    for lineage in statement["output"] + statement["flows"]:
        lineage["copied"], lineage["derived"] = sorted(lineage["copied"]), sorted(lineage["derived"])
    for flow in statement["flows"]:
        flow["target"] = WRITTEN_MARKS.sub("", bare_name(flow["target"])).lower()
    statement["flows"].sort(key=lambda flow: (flow["target"], flow["copied"], flow["derived"]))
    facts = b"".join(hashlib.blake2b(json.dumps(statement[name]).encode(), digest_size=HASH_BYTES).digest()
                     for name in FACTS)
    return Reading(None, 0, statement["kind"], text_member(statement, "canonical"),
                   text_member(statement, "emitted") if "emitted" in statement else None, facts, names)


def request(statement):
    line = {"sql_mode": statement.setting.sql_mode, "charset": statement.setting.charset}
    try:
        line["sql"] = statement.sql.decode("utf-8")
    except UnicodeDecodeError:
        line["sql_base64"] = base64.b64encode(statement.sql).decode()
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"


def read_chunk(binary, kind, statements):
    done = subprocess.run([str(binary), "sql", "analyze", "--server", RELEASES[kind], "--database", "test"],
                          input=b"".join(map(request, statements)), capture_output=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode != 0 or len(lines) != len(statements):
        culprit = statements[len(lines)].sql[:300] if len(lines) < len(statements) else b""
        raise Failure(f"sallyport sql analyze ended with status {done.returncode} after {len(lines)} of {len(statements)} "
                      f"lines: {done.stderr[-500:]}\nAt: {culprit}")
    return [reading_of(json.loads(line)) for line in lines]


def read(binary, kind, statements, workers):
    """A Reading for each of the statements, in their order."""
    statements = list(statements)
    parts = [statements[begin:begin + CHUNK] for begin in range(0, len(statements), CHUNK)]
    with ProcessPoolExecutor(workers) as processes:
        read_parts = processes.map(read_chunk, [binary] * len(parts), [kind] * len(parts), parts)
        return [one for part in read_parts for one in part]
