"""Starting programs in the background and ending them again, each known by its pid and start time."""

import contextlib
import os
import signal
import socket
import subprocess
import time

from lab import Failure

STOP_SECONDS = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start_time(pid):
    """When the process started, in clock ticks since boot; None when there is none. A pid alone may be reused."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else fields[19]


class Program:
    """A background program of a lab: `DIR/pids/NAME` names it, `DIR/NAME.log` holds what it printed."""

    def __init__(self, directory, name):
        self.name = name
        self.log = directory / f"{name}.log"
        self.pid_file = directory / "pids" / name

    def start(self, command, environment=None):
        self.pid_file.parent.mkdir(exist_ok=True)
        with open(self.log, "ab") as log:
            try:
                process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                                           start_new_session=True)
            except OSError as error:
                raise Failure(f"{command[0]} can't be started: {error}") from None
        self.pid_file.write_text(f"{process.pid} {start_time(process.pid)}\n")
        self.process = process
        return process.pid

    def pid(self):
        """The pid, if it runs."""
        try:
            pid, started = self.pid_file.read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if start_time(pid) == started else None

    def wait_until(self, ready, seconds):
        """Waits until ready() is true; fails when the program ends before, or doesn't get there in time."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None:
                raise Failure(self.explain(f"ended with status {self.process.returncode} instead of getting ready"))
            if time.monotonic() > deadline:
                raise Failure(self.explain(f"isn't ready after {seconds} s"))
            time.sleep(0.03)

    def explain(self, what):
        try:
            tail = self.log.read_text(errors="replace").splitlines()[-20:]
        except OSError:
            tail = []
        return f"{self.name} {what}. The end of {self.log}:\n" + "\n".join(f"  {line}" for line in tail)

    def stop(self):
        """Ends it, politely first. True if it ran."""
        pid = self.pid()
        if pid is None:
            self.pid_file.unlink(missing_ok=True)
            return False
        with contextlib.suppress(ProcessLookupError):  # it may end by itself meanwhile
            os.kill(pid, signal.SIGTERM)
            os.kill(pid, signal.SIGCONT)  # a test may have stopped it
        deadline = time.monotonic() + STOP_SECONDS
        killed = False
        while self.pid() is not None:
            if time.monotonic() > deadline and not killed:
                killed = True
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.reap()
            time.sleep(0.03)
        self.pid_file.unlink(missing_ok=True)
        return True

    def reap(self):
        if hasattr(self, "process"):
            self.process.poll()
