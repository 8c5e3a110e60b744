"""Processes that the benchmark starts, and what /proc says of them.

All are started in the session of bench/run itself. Where the kernel groups tasks by session (autogroup), a process in a
session of its own competes with the load generator as a group, and seems up to 1.7 times as dear.
"""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

from lab.processes import Program, start_time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
CPU_CLOCK = 2  # of a process, as clock_getcpuclockid(3) makes it from the pid
LOAD_SECONDS_MAX = 300  # 10,000 logins on a busy machine take the longest
CPU_FIELDS_BUSY = (0, 1, 2, 5, 6)  # of /proc/stat: user, nice, system, irq, softirq


class BenchProgram(Program):
    """A program of the lab, but without a session of its own."""

    def start(self, command, environment=None):
        self.pid_file.parent.mkdir(exist_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)
        self.pid_file.write_text(f"{self.process.pid} {start_time(self.process.pid)}\n")
        return self.process.pid

    def stop(self):
        """Ends it, politely first; also when it has ended already."""
        if not hasattr(self, "process"):
            return False
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.pid_file.unlink(missing_ok=True)
        return True


def end_in_time(process):
    """Kills a load generator that hangs, which its reader then sees; returns the timer, for its cancel()."""
    timer = threading.Timer(LOAD_SECONDS_MAX, process.kill)
    timer.daemon = True
    timer.start()
    return timer


def cpu_seconds(pid):
    """User and system time of all its threads, those that have ended too; to the nanosecond, unlike /proc/PID/stat."""
    return time.clock_gettime((~pid << 3) | CPU_CLOCK)


def voluntary_switches(pid):
    """Of the threads that it has now."""
    total = 0
    for status in Path(f"/proc/{pid}/task").glob("*/status"):
        total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read_text(), re.MULTILINE)[1])
    return total


def resident_kib(pid):
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
    return int(re.search(r"^Rss:\s+(\d+)", rollup, re.MULTILINE)[1])


def memory_available_kib():
    return int(re.search(r"^MemAvailable:\s+(\d+)", Path("/proc/meminfo").read_text(), re.MULTILINE)[1])


def machine_busy_seconds():
    fields = Path("/proc/stat").read_text(encoding="ascii").split("\n", 1)[0].split()[1:]
    return sum(int(fields[at]) for at in CPU_FIELDS_BUSY) / TICKS_PER_SECOND


def same_autogroup(pid):
    """Whether the scheduler groups the process with this one."""
    try:
        return Path(f"/proc/{pid}/autogroup").read_bytes() == Path("/proc/self/autogroup").read_bytes()
    except OSError:
        return True
