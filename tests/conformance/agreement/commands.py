"""What `tests/conformance/sql` does."""

import argparse
import json
import multiprocessing
import os
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from lab import Failure

from agreement import analysis, comparison, corpus, oracle, results, splitting

KINDS = ("mariadb", "mysql")
SAMPLE = {"statements": 20000, "queries": 1000, "texts": 9000}
QUERIES, TEXTS = 12000, 90000
SAMPLE_SHARE = 0.1  # of the suites' files
DESCRIPTION = """What `sallyport sql analyze` makes of SQL texts, against the servers' own word. Every statement that can be taken out of
the regression suites of MariaDB and MySQL is prepared, not run, by a private server of each kind:

- of what a server accepts at least 99.5 % is accepted, of what it rejects as a syntax error at least 98 % is refused;
- what would be sent in a text's place, and its canonical text, are accepted by the server, and say the same;
- of queries that can be run, the sent text gives the same rows under the same names, and the canonical text the same rows;
- random texts of several statements, of comments and quotes above all, give what their statements give one by one.

Exit status 0 if all of this holds. What differs is listed by cause. The suites are Debian's mariadb-test, and mysql-testsuite,
which tools/mysql-server brings; nothing of them is kept in the repository."""


def parse():
    parser = argparse.ArgumentParser(prog="tests/conformance/sql", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--server", choices=[*KINDS, "both"], default="both", help="whose word (default: both, side by side)")
    parser.add_argument("--corpus", type=Path, action="append", metavar="FILE",
                        help="take the statements from a file of JSON lines (.jsonl or .jsonl.gz: sql or sql_b64, sql_mode, names), "
                             "not from the suites")
    parser.add_argument("--sample", action="store_true", help="{statements} statements, {queries} queries and {texts} texts".format(**SAMPLE))
    parser.add_argument("--statements", type=int, metavar="N", help="no more than these, chosen by a hash (default: all)")
    parser.add_argument("--queries", type=int, metavar="N", help=f"how many queries are run (default: {QUERIES})")
    parser.add_argument("--texts", type=int, metavar="N", help=f"how many texts of several statements are run (default: {TEXTS})")
    parser.add_argument("--seed", type=int, default=1, help="of the choice of queries, and of the texts (default: %(default)s)")
    parser.add_argument("--fresh", action="store_true", help="ask the server again what the cache knows")
    parser.add_argument("--details", type=Path, metavar="FILE", help="write every difference there, a line of JSON each")
    parser.add_argument("--causes", type=int, default=40, metavar="N", help="how many causes are listed (default: %(default)s)")
    return parser.parse_args()


def binary_path():
    path = Path(os.environ.get("SALLYPORT_BINARY", corpus.REPOSITORY / "build" / "release" / "bin" / "sallyport"))
    if not shutil.which(path):
        raise Failure(f"there is no program at {path}. Build it with `make build`, or name another in SALLYPORT_BINARY.")
    return path


def cache_directory():
    return Path(os.environ.get("SALLYPORT_CACHE", corpus.REPOSITORY / ".cache")) / "sql-conformance"


@dataclass
class Report:
    kind: str
    lines: list
    misses: list  # gates that do not hold
    details: list  # of what differs

    def say(self, text, causes=None, most=0):
        self.lines.append(f"  {text}")
        if causes:
            self.lines += causes.lines(most)
            self.details += [{"server": self.kind, "what": text.strip(), "cause": cause, "sql_mode": one.setting.sql_mode,
                              "charset": one.setting.charset, "sql": one.sql.decode("utf-8", "backslashreplace")}
                             for cause, one in causes.all]

    def gate(self, text, holds, causes=None, most=0):
        if not holds:
            self.misses.append(text)
        self.say(("" if holds else "MISSED: ") + text, causes, most)


class Run:
    def __init__(self, kind, arguments, found, workers):
        self.kind, self.arguments, self.found, self.workers = kind, arguments, found, workers
        self.binary = binary_path()
        self.report = Report(kind, [], [], [])

    def run(self):
        begin = time.monotonic()
        statements = corpus.sample((corpus.in_setting(*one, self.kind) for one in self.found), statement_count(self.arguments))
        with oracle.Oracle(self.kind) as server:
            self.report.lines.append(f"{self.kind} {server.version}: {len(statements)} statements")
            verdicts = oracle.Verdicts(cache_directory() / f"{self.kind}-{server.version}.sqlite") if not self.arguments.fresh else None
            self.compare(server, statements, verdicts)
            if queries := self.wanted("queries", QUERIES):
                self.run_queries(server, queries)
            if texts := self.wanted("texts", TEXTS):
                self.run_texts(server, texts)
            if server.crashes:
                self.report.say(f"the server ended {server.crashes} times of a statement and was started again")
        self.report.say(f"{time.monotonic() - begin:.0f} s")
        return self.report

    def wanted(self, name, most):
        given = getattr(self.arguments, name)
        return given if given is not None else SAMPLE[name] if self.arguments.sample else most

    def compare(self, server, statements, verdicts):
        report, most = self.report, self.arguments.causes
        corpus.note(self.kind, f"asking the server about {len(statements)} statements")
        answers = oracle.ask(server, statements, verdicts, self.workers)
        corpus.note(self.kind, "reading them")
        readings = analysis.read(self.binary, self.kind, statements, self.workers)
        found = comparison.agreement(statements, answers, readings)
        report.gate(f"of {found.server_accepts} that the server accepts {found.both_accept} are accepted: {found.accepted():.3f} %, "
                    f"aim {comparison.ACCEPTED_LEAST} %", found.accepted() >= comparison.ACCEPTED_LEAST, found.missed, most)
        report.gate(f"of {found.server_refuses} that it rejects as syntax errors {found.both_refuse} are refused: "
                    f"{found.refused():.3f} %, aim {comparison.REFUSED_LEAST} %", found.refused() >= comparison.REFUSED_LEAST,
                    found.taken, most)
        if found.unknown:
            report.say(f"left out, as its error does not tell whether it was parsed: {sum(found.unknown.values())} "
                       f"({', '.join(f'{count} x {error}' for error, count in found.unknown.most_common(6))} ...)")
        for name, title, compares_names in (("emitted", "texts without comments, sent in place of the original", True),
                                            ("canonical", "canonical texts", False)):
            self.compare_printed(server, comparison.texts_to_ask(statements, answers, readings, name), answers, verdicts, title,
                                 compares_names)

    def compare_printed(self, server, made, answers, verdicts, title, compares_names):
        texts = [text for _, _, text in made]
        corpus.note(self.kind, f"asking about {len(texts)} {title}")
        answers = answers | oracle.ask(server, texts, verdicts, self.workers)
        # An answer may depend on what the connection was asked before: what was refused is asked once more, beside its original.
        refused = [one for original, _, text in made if answers[text] not in oracle.PARSED for one in (original, text)]
        answers |= oracle.ask(server, refused, None, 1)
        again = analysis.read(self.binary, self.kind, texts, self.workers)
        found, most = comparison.compare_printed(made, answers, again, compares_names), self.arguments.causes
        self.report.gate(f"{found.texts} {title}: {found.refused.total()} are refused by the server", not found.refused.total(),
                         found.refused, most)
        self.report.say(f"    {found.other_error.total()} parsed, with another error behind that", found.other_error, most)
        self.report.gate(f"    {found.other_facts.total()} are read as saying something else", not found.other_facts.total(),
                         found.other_facts, most)

    def run_queries(self, server, count):
        suite = corpus.suites()[self.kind]
        corpus.note(self.kind, f"running {count} queries")
        found = results.run(self.binary, server, suite, count, self.workers, self.arguments.seed)
        self.report.gate(f"{found.queries} queries ran, aim {count}", found.queries >= count)
        self.report.gate(f"    {found.commented} of their texts had comments to leave out, {found.canonical} canonical texts: "
                         f"{found.differing.total()} gave something else ({found.unsteady} left out, as they differ each time)",
                         not found.differing.total(), found.differing, self.arguments.causes)
        self.report.say(f"    in {found.renamed} a name is cut one character later, or is not ASCII and lacks the comment that stands in it")

    def run_texts(self, server, count):
        corpus.note(self.kind, f"running {count} texts of several statements")
        found = splitting.run(self.binary, server, count, self.workers, self.arguments.seed)
        self.report.gate(f"{found.texts} random texts, {found.understood} understood, of {found.statements} statements "
                         f"({found.taken} with a syntax error to the server): {found.differing.total()} gave something else", not found.differing.total(), found.differing,
                         self.arguments.causes)


def statement_count(arguments):
    return arguments.statements or (SAMPLE["statements"] if arguments.sample else None)


def find_statements(arguments):
    if arguments.corpus:
        return [one for path in arguments.corpus for one in corpus.from_file(path)]
    corpus.note("both", "reading the suites")
    return corpus.from_suites(corpus.suites().values(), SAMPLE_SHARE if arguments.sample else 1.0)


def run_kind(kind, arguments, found, workers, answer):
    try:
        answer.send(Run(kind, arguments, found, workers).run())
    except Failure as failure:
        answer.send(failure)


def run_side_by_side(kinds, arguments):
    """A Report of each kind, or a Failure. Each runs in a process of its own, which has the statements by being forked."""
    found = find_statements(arguments)
    workers = max(1, (os.cpu_count() or 1) // len(kinds))
    forked = multiprocessing.get_context("fork")
    running = []
    for kind in kinds:
        receiver, sender = forked.Pipe(duplex=False)
        process = forked.Process(target=run_kind, args=(kind, arguments, found, workers, sender))
        process.start()
        sender.close()
        running.append((kind, process, receiver))
    for kind, process, receiver in running:
        try:
            yield receiver.recv()
        except EOFError:
            yield Failure(f"the run on {kind} ended (above)")
        process.join()


def run_all(arguments):
    binary_path()
    corpus.suites()
    kinds = KINDS if arguments.server == "both" else (arguments.server,)
    misses, details = [], []
    for report in run_side_by_side(kinds, arguments):
        if isinstance(report, Failure):
            misses.append(str(report))
            continue
        print("\n".join(report.lines), flush=True)
        details += report.details
        misses += [f"{report.kind}: {miss.strip()}" for miss in report.misses]
    if arguments.details:
        arguments.details.write_text("".join(json.dumps(one, ensure_ascii=False) + "\n" for one in details), encoding="utf-8")
    print("conformance: " + ("all holds" if not misses else "MISSED\n  " + "\n  ".join(misses)))
    return 1 if misses else 0


def main():
    arguments = parse()
    try:
        sys.exit(run_all(arguments))
    except Failure as failure:
        sys.exit(f"conformance: {failure}")
