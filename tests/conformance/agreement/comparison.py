"""What the server said of statements beside what the program says of them."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace

from agreement.analysis import differing_facts
from agreement.comments import bare_name
from agreement.oracle import NEVER_ANSWERED, PARSED, SYNTAX_ERROR

ACCEPTED_LEAST = 99.5  # percent
REFUSED_LEAST = 98.0
EXAMPLE_BYTES = 70
WORDS = re.compile(rb"[A-Za-z_]+")
TOKEN = re.compile(rb"\s*(\w+|.)", re.DOTALL)
COMMENT = re.compile(rb"/\*.*?\*/|(?:#|--\s)[^\n]*", re.DOTALL)


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def one_line(text):
    return " ".join(text.decode("utf-8", "backslashreplace").split())


@dataclass
class Cause:
    count: int = 0
    example: str = ""


# How what is sent names a column.
ALIAS = b" AS `"


class Causes:
    """Counts by cause, with the first example of each."""

    def __init__(self):
        self.found, self.all = {}, []

    def add(self, cause, example, statement):
        entry = self.found.setdefault(cause, Cause(example=example))
        entry.count += 1
        self.all.append((cause, statement))

    def total(self):
        return sum(cause.count for cause in self.found.values())

    def lines(self, most):
        ordered = sorted(self.found.items(), key=lambda item: (-item[1].count, item[0]))
        lines = [f"    {cause.count:6} {name}: {cause.example}" for name, cause in ordered[:most]]
        if len(ordered) > most:
            lines.append(f"           and {len(ordered) - most} causes more")
        return lines


def first_words(sql):
    words = [word.decode().upper() for word in WORDS.findall(COMMENT.sub(b" ", sql[:400]))[:2]]
    return " ".join(words[:1] if words[:1] in (["SELECT"], ["INSERT"], ["UPDATE"], ["DELETE"], ["SET"], ["CALL"]) else words)


def place(sql, offset):
    """The text around where reading stopped."""
    before, behind = one_line(sql[max(0, offset - EXAMPLE_BYTES):offset]), one_line(sql[offset:offset + EXAMPLE_BYTES])
    return f"{before} >>> {behind}"


def token_at(sql, offset):
    match = TOKEN.match(sql, offset)
    return match[1].decode("utf-8", "backslashreplace").upper() if match else "its end"


@dataclass
class Agreement:
    server_accepts: int = 0
    both_accept: int = 0
    server_refuses: int = 0
    both_refuse: int = 0
    unknown: Counter = field(default_factory=Counter)  # by the server's error
    missed: Causes = field(default_factory=Causes)
    taken: Causes = field(default_factory=Causes)

    def accepted(self):
        return percent(self.both_accept, self.server_accepts)

    def refused(self):
        return percent(self.both_refuse, self.server_refuses)


def agreement(statements, answers, readings):
    found = Agreement()
    for statement, reading in zip(statements, readings):
        answer = answers[statement]
        if answer in PARSED:
            found.server_accepts += 1
            found.both_accept += reading.code is None
            if reading.code is not None:
                cause = f"{reading.code}, {first_words(statement.sql)}, at {token_at(statement.sql, reading.offset)}"
                found.missed.add(cause, place(statement.sql, reading.offset), statement)
        elif answer == SYNTAX_ERROR:
            found.server_refuses += 1
            found.both_refuse += reading.code is not None
            if reading.code is None:
                found.taken.add(first_words(statement.sql), one_line(statement.sql[:2 * EXAMPLE_BYTES]), statement)
        else:
            found.unknown["no answer" if answer == NEVER_ANSWERED else answer] += 1
    return found


@dataclass
class Printed:
    """What became of one of the texts that are made of a statement."""

    texts: int = 0
    refused: Causes = field(default_factory=Causes)  # by the server, which took the original
    other_error: Causes = field(default_factory=Causes)  # accepted as the original was, with another error behind parsing
    other_facts: Causes = field(default_factory=Causes)  # it is read as saying something else


def texts_to_ask(statements, answers, readings, name):
    """The statements that the server and the program take, with the text made of each: its reading, the text as a statement."""
    made = []
    for statement, reading in zip(statements, readings):
        text = getattr(reading, name)
        if text is not None and reading.code is None and reading.kind != "empty" and answers[statement] in PARSED:
            made.append((statement, reading, replace(statement, sql=text)))
    return made


def compare_printed(made, answers, again, compares_names):
    """`answers` of the server for originals and texts, `again` a Reading for each text."""
    found = Printed(texts=len(made))
    for (statement, reading, text), reread in zip(made, again):
        original, printed = answers[statement], answers[text]
        if original not in PARSED:  # this time: it depends on the connection
            continue
        example = f"{one_line(statement.sql[:2 * EXAMPLE_BYTES])} >>> {one_line(text.sql[:2 * EXAMPLE_BYTES])}"
        if printed not in PARSED:
            found.refused.add(f"error {printed}, {reading.kind}", example, statement)
        elif printed != original:
            found.other_error.add(f"error {printed} for {original}, {reading.kind}", example, statement)
        differing = differing_facts(reading, reread) if reread.code is None else [reread.code]
        if compares_names and ALIAS in text.sql and ALIAS not in statement.sql:  # a name kept that has a comment in it
            differing = [name for name in differing if name not in ("digest", "normalised")]
        if compares_names and list(map(bare_name, reading.names)) != list(map(bare_name, reread.names)):
            differing.append("names")
        if reread.emitted is not None:
            differing.append("emitted")
        if differing:
            found.other_facts.add(f"{', '.join(differing)}, {reading.kind}", example, statement)
    return found

