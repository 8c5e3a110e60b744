"""What `tests/conformance/run` does."""

import argparse
import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lab import Failure

from conformance import report, suite
from conformance.relay import Counts
from conformance.site import HERE, SUITE, Site, suite_logins

REPOSITORY = HERE.parents[1]
MEMORY_BYTES_LEAST = 4 << 30
DESCRIPTION = """MariaDB's regression suite (Debian's mariadb-test) against a private server, directly and through the gateway. Each
test of the main suite that passes directly must pass through the gateway, but for those in tests/conformance/exceptions.txt.

The suite's own runner is used with --extern. What logs in goes through a relay that gives the gateway a token in place of
the suite's passwords, and passes everything after the login unchanged (tests/conformance/conformance/relay.py)."""


def parse():
    parser = argparse.ArgumentParser(prog="tests/conformance/run", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", nargs="*", metavar="TEST", help="names of tests (default: all of the main suite)")
    parser.add_argument("--sample", action="store_true", help="the tests named in tests/conformance/sample.txt")
    parser.add_argument("--shards", type=int, default=os.cpu_count(), metavar="N",
                        help="servers side by side, each with a part of the tests (default: one for each core)")
    parser.add_argument("--seconds", type=int, default=4 * 3600, metavar="S",
                        help="time for all of it; tests not come to by then count as errors (default: %(default)s)")
    parser.add_argument("--logs", type=Path, default=REPOSITORY / "build" / "conformance", metavar="DIR",
                        help="where the logs go (default: build/conformance)")
    return parser.parse_args()


def gateway_binary():
    path = Path(os.environ.get("SALLYPORT_BINARY", REPOSITORY / "build" / "release" / "bin" / "sallyport"))
    if not shutil.which(path):
        raise Failure(f"there is no gateway at {path}. Build it with `make build`, or name another in SALLYPORT_BINARY.")
    return path


def wanted_tests(arguments):
    every = [path.stem for path in suite.all_tests()]
    names = list(arguments.tests)
    if arguments.sample:
        names += [line.split()[0] for line in (HERE / "sample.txt").read_text().splitlines() if line and line[0] != "#"]
    unknown = set(names) - set(every)
    if unknown:
        raise Failure(f"the suite has no tests {', '.join(sorted(unknown))}")
    return names or every


def memory_directory():
    """Most of the suite's time goes into waiting for the disk; so the servers lie in memory where there is enough."""
    try:
        free_bytes = shutil.disk_usage("/dev/shm").free
    except OSError:
        return None
    return "/dev/shm" if free_bytes >= MEMORY_BYTES_LEAST else None


class Runner:
    """Use it in a `with`: it removes its directory."""

    def __init__(self, arguments):
        self.shards, self.logs = arguments.shards, arguments.logs
        self.deadline = time.monotonic() + arguments.seconds
        self.logins, self.counts = suite_logins(suite.all_tests()), Counts()

    def __enter__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-conf-", dir=memory_directory()))
        shutil.rmtree(self.logs, ignore_errors=True)
        self.logs.mkdir(parents=True)
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, title, names, binary=None):
        """Outcomes of the tests, directly or, with a binary, through it."""
        print(f"conformance: {title}: {len(names)} tests", flush=True)
        shards = [part for part in (names[number::self.shards] for number in range(self.shards)) if part]
        outcomes = {}
        with ThreadPoolExecutor(max(len(shards), 1)) as threads:
            for part in threads.map(lambda numbered: self.run_shard(f"{title}-{numbered[0]}", numbered[1], binary),
                                    enumerate(shards)):
                outcomes.update(part)
        return outcomes

    def run_shard(self, name, names, binary):
        site = Site(self.directory / name)
        try:
            site.start()
            if binary:
                site.start_gateway(binary, self.logins)
            outcomes = suite.run(site, names, max(self.deadline - time.monotonic(), 1), self.logs / f"{name}.log")
            return outcomes
        finally:
            site.stop()
            counts = site.login_counts()
            self.counts.through += counts.through
            self.counts.refused_beside += counts.refused_beside
            self.counts.beside += counts.beside
            for program in site.programs:
                shutil.copy(program.log, self.logs / f"{name}.{program.name}.log")
            site.remove()


def run_all(arguments):
    if not SUITE.is_dir():
        raise Failure("Debian's mariadb-test is missing. Run tools/install-deps test.")
    binary = gateway_binary()
    exceptions = report.Exceptions.read(HERE / "exceptions.txt")
    runs = report.Runs(wanted_tests(arguments))
    with Runner(arguments) as runner:
        runs.direct = runner.run("direct", runs.wanted)
        runs.through = runner.run("through", runs.passing_directly(), binary)
        again = runs.first_differences()
        if again:
            runs.again_direct = runner.run("again-direct", again)
            runs.again_through = runner.run("again-through", again, binary)
        wrong = report.print_report(runs, exceptions, runner.counts)
    print(f"  logs: {arguments.logs}")
    return 1 if wrong else 0


def main():
    try:
        sys.exit(run_all(parse()))
    except Failure as failure:
        sys.exit(f"conformance: {failure}")
