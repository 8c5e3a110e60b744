"""Runs the suite's own runner against an entrance, and reads what it printed."""

import os
import re
import shlex
import signal
import subprocess
from dataclasses import dataclass, field

from conformance.site import SUITE

TEST_MINUTES_MAX = 2
RESULT = re.compile(r"^(?P<name>[\w.,-]+/?[\w.-]*)(?: '[^']*')*(?: w\d+)? +\[ (?P<outcome>[\w-]+) \]\s*(?P<rest>.*)$")
DIFFERENCE_LINES = 12
PLACE = re.compile(r"for the right syntax to use near '.*?' at line \d+", re.DOTALL)

# Cleans the server, by its own socket, before the test program begins. Where that can't be done, and after a test that
# failed, the server gets its first data directory again (Site.keep_server does it).
WRAPPER = """#!/bin/sh
server="mariadb --no-defaults --user=root --socket={socket}"
reset() {{
  touch {directory}/reset
  kill -9 "$(cat {directory}/server.pid)"
  tries=0
  while [ -e {directory}/reset ] || ! $server -e 'SELECT 1' >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ $tries -lt 300 ] || break
    sleep 0.2
  done
}}
case " $* " in *" --test-file="*) ;; *) exec /usr/bin/mariadb-test "$@" ;; esac
timeout 20 $server -e 'CALL mtr.clean_up()' >/dev/null 2>&1 || reset
rm -rf {directory}/var/tmp/*
/usr/bin/mariadb-test "$@"
status=$?
case $status in 0 | 62 | 63) ;; *) reset >/dev/null 2>&1 ;; esac
exit $status
"""


@dataclass
class Outcome:
    name: str
    outcome: str
    detail: list = field(default_factory=list)


def all_tests():
    return sorted(SUITE.glob("main/*.test"))


def make_programs(site):
    """A directory of client programs for the suite's runner, whose test program is the wrapper."""
    directory = site.directory / "programs"
    if not directory.exists():
        directory.mkdir()
        for path in os.scandir("/usr/bin"):
            if path.name.startswith(("mariadb", "mysql", "my_", "aria", "myisam", "replace", "perror", "resolveip", "wsrep")):
                (directory / path.name).symlink_to(path.path)
        (directory / "mariadb-test").unlink()
        (directory / "mariadb-test").write_text(WRAPPER.format(socket=shlex.quote(str(site.server_socket)),
                                                                directory=shlex.quote(str(site.directory))))
        (directory / "mariadb-test").chmod(0o755)
    return directory


def run(site, names, seconds, log):
    """The outcomes of tests by name, in one run of the suite's runner. Those it did not come to are missing."""
    socket, port = site.entrance()
    listed = site.directory / "tests"
    listed.write_text("".join(f"{name}\n" for name in names))
    command = ["perl", "mariadb-test-run.pl", "--extern", f"socket={socket}", "--extern", f"port={port}",
               f"--vardir={site.vardir}", f"--client-bindir={make_programs(site)}", "--force", "--max-test-fail=0", "--retry=0",
               "--nocheck-testcases", "--nowarnings", "--noreorder", f"--testcase-timeout={TEST_MINUTES_MAX}",
               *(f"main.{name}" for name in names)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("MTR_", "MYSQL"))}
    environment |= {"MASTER_MYSOCK": socket, "MASTER_MYPORT": str(port)}
    with open(log, "wb") as output:
        process = subprocess.Popen(command, cwd=SUITE, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                   env=environment, start_new_session=True)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            pass
        finally:
            end_group(process)
    return read_outcomes(log.read_text(errors="replace"))


def end_group(process):
    """Ends the suite's runner and what it started, when time is over or this program is ended."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def read_outcomes(text):
    found, last = {}, None
    for line in text.splitlines():
        match = RESULT.match(line)
        if match and match["name"].startswith("main."):
            last = Outcome(match["name"].removeprefix("main."), match["outcome"], [match["rest"]] if match["rest"] else [])
            found[last.name] = last
        elif line.startswith("-----"):
            last = None
        elif last:
            last.detail.append(line)
    return found


def differs_in_place_only(outcome):
    """Whether a test's result differs only in where a syntax error is said to be: a server's parser names the token after the
    one that it stops at, or that one, as its tables have it."""
    hunks, complete = [], False
    for line in outcome.detail:
        if line.startswith("@@"):
            hunks.append(([], []))
        elif hunks and line[:1] in ("-", "+", " ") and not complete:
            for side, marks in zip(hunks[-1], (" -", " +")):
                if line[0] in marks:
                    side.append(line[1:])
        elif hunks:
            complete = True
    return complete and all(PLACE.sub("near", "\n".join(one)) == PLACE.sub("near", "\n".join(other)) for one, other in hunks)


def first_difference(detail):
    """The lines that say most about a failure."""
    lines = [line for line in detail if line.strip() and not line.startswith("        Test ended at")]
    for at, line in enumerate(lines):
        if line.startswith(("mysqltest:", "mariadb-test:", "@@")):
            return lines[at:at + DIFFERENCE_LINES if line.startswith("@@") else at + 2]
    return lines[:DIFFERENCE_LINES]
