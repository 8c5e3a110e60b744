"""One measurement: bench/load against one target, with what the target's process spent meanwhile."""

import json
import os
import subprocess
import time

from lab import Failure

from harness import syscalls
from harness.processes import cpu_seconds, machine_busy_seconds, resident_kib, voluntary_switches
from harness.targets import BUILD, settle

IDLE_SETTLE_SECONDS = 1


class Load:
    """bench/load, connected and waiting for begin()."""

    def __init__(self, target, workload, seconds, *, connections=None):
        values = target.laboratory.values
        command = [BUILD / "load", "--workload", workload.kind, "--connections", connections or workload.connections,
                   "--seconds", seconds, "--port", target.port, "--user", target.user]
        if target.tls:
            command += ["--tls-ca", values["LAB_CA"]]
        self.target = target
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, "BENCH_PASSWORD": target.password()})
        self.expect_line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    @property
    def pid(self):
        return self.process.pid

    def expect_line(self):
        line = self.process.stdout.readline()
        if not line:
            raise Failure(f"bench/load ended with status {self.process.wait()} at {self.target.name}")
        return line

    def work(self):
        """Lets it work and returns its figures."""
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        figures = json.loads(self.expect_line())
        if figures["errors"]:
            raise Failure(f"{figures['errors']} errors at {self.target.name}, the first: {figures['first_error']}")
        return figures


def cpu_of(pids):
    return sum(cpu_seconds(pid) for pid in pids if pid is not None)


def measure(target, workload, seconds):
    """The figures of one round, by name; nothing where a figure doesn't apply."""
    return measure_idle(target, workload) if workload.kind == "idle" else measure_work(target, workload, seconds)


def measure_work(target, workload, seconds):
    with Load(target, workload, seconds) as load:
        settle()
        pids = (target.pid, load.pid, target.laboratory.server_pid)
        began, busy, ours = time.monotonic(), machine_busy_seconds(), cpu_of(pids)
        cpu = cpu_of([target.pid])
        switches = voluntary_switches(target.pid) if target.pid else 0
        figures = load.work()
        cpu = cpu_of([target.pid]) - cpu
        switches = (voluntary_switches(target.pid) if target.pid else 0) - switches
        others = machine_busy_seconds() - busy - (cpu_of(pids) - ours)
        elapsed = time.monotonic() - began
    operations = figures["operations"]
    if operations == 0:
        raise Failure(f"{workload.name} at {target.name} finished no operation in {seconds} s: give it more")
    result = {name: figures[name] for name in ("operations", "seconds", "rate", "p50_us", "p95_us", "p99_us")}
    result["others_cores"] = max(0.0, others / elapsed)
    if workload.unit == "MB":
        result["mb_per_s"] = figures["bytes"] / 1e6 / figures["seconds"]
    if target.pid:
        result["cpu_us_per_operation"] = cpu * 1e6 / operations
        result["switches_per_operation"] = switches / operations
        if workload.unit == "MB":
            result["cpu_us_per_mb"] = cpu * 1e12 / figures["bytes"]
    return result


def measure_idle(target, workload):
    """Resident memory that each of many logged-in sessions adds, beyond that of the first."""
    if target.pid is None:
        return None
    with Load(target, workload, 0, connections=1):
        settle(IDLE_SETTLE_SECONDS)
        before = resident_kib(target.pid)
        with Load(target, workload, 0) as load:
            settle(IDLE_SETTLE_SECONDS)
            after = resident_kib(target.pid)
            load.work()
    return {"operations": workload.connections, "kib_per_session": (after - before) / workload.connections}


def count_syscalls(target, workload, seconds):
    """System calls per operation by name, with their sum as "all"; nothing without a process or a way to count."""
    if target.pid is None or workload.kind == "idle":
        return None
    with Load(target, workload, seconds) as load:
        settle()
        figures, calls = syscalls.count(target.pid, load.work)
    if calls is None or figures["operations"] == 0:
        return None
    return {name: count / figures["operations"] for name, count in calls.items()}
