"""One measurement: clients against one target, with what the target's process spent meanwhile."""

import json
import os
import subprocess
import time

from lab import Failure

from harness import syscalls, workers
from harness.processes import cpu_seconds, end_in_time, machine_busy_seconds, resident_kib, voluntary_switches
from harness.report import CPU_FIGURES
from harness.sysbench import Sysbench
from harness.targets import BUILD, SyncEach, settle
from harness.workloads import Workload

IDLE_SETTLE_SECONDS = 0.5
QUIET_SECONDS_MAX = 5


class Load:
    """bench/load, connected and waiting for work()."""

    def __init__(self, target, workload, seconds, *, kind=None, connections=None):
        values = target.laboratory.values
        command = [BUILD / "load", "--workload", kind or workload.kind, "--connections",
                   connections or workload.connections, "--seconds", seconds, "--user", target.user]
        command += ["--socket", target.socket] if target.socket else ["--port", target.port]
        if target.tls:
            command += ["--tls-ca", values["LAB_CA"]]
        self.target = target
        self.process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env={**os.environ, "BENCH_PASSWORD": target.password()})
        self.watchdog = end_in_time(self.process)
        self.expect_line()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watchdog.cancel()
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


def load_of(target, workload, seconds):
    if workload.kind == "sysbench":
        return Sysbench(target, workload, seconds)
    return Load(target, workload, seconds, kind="point-text" if workload.kind == "workers" else None)


def cpu_of(pids):
    return sum(cpu_seconds(pid) for pid in pids if pid is not None)


class Spent:
    """What the target's process and the machine spend while work() is at work."""

    def __init__(self, target, load):
        self.ours = (target.pid, load.pid, target.laboratory.server_pid)
        self.before = self.now(target)
        self.figures = load.work()
        after = self.now(target)
        self.elapsed, busy, ours, self.cpu, self.switches = (late - early for late, early in zip(after, self.before))
        self.others_cores = max(0.0, (busy - ours) / self.elapsed)

    def now(self, target):
        return (time.monotonic(), machine_busy_seconds(), cpu_of(self.ours), cpu_of([target.pid]),
                voluntary_switches(target.pid) if target.pid else 0)


def measure(target, workload, seconds):
    """The figures of one round, by name; nothing where a figure doesn't apply."""
    if isinstance(target, SyncEach):
        return target.measure(seconds)
    return measure_idle(target, workload, seconds) if workload.kind == "idle" else measure_work(target, workload, seconds)


def measure_work(target, workload, seconds):
    with load_of(target, workload, seconds) as load:
        settle()
        if workload.kind == "workers":
            workers.hold_back(target.pid, target.worker_threads)
        spent = Spent(target, load)
    figures = spent.figures
    if figures["operations"] == 0:
        raise Failure(f"{workload.name} at {target.name} finished no operation in {seconds} s: give it more")
    result = {name: figures[name] for name in ("operations", "seconds", "rate", "p50_us", "p95_us", "p99_us")}
    result["others_cores"] = spent.others_cores
    if workload.unit == "MB":
        result["mb_per_s"] = figures["bytes"] / 1e6 / figures["seconds"]
    if target.pid:
        name, units, _ = CPU_FIGURES[workload.unit]
        result[name] = spent.cpu * units / (figures["bytes"] if workload.unit == "MB" else figures["operations"])
        result["switches_per_operation"] = spent.switches / figures["operations"]
    return result


def measure_idle(target, workload, seconds):
    """What each of many logged-in sessions adds to the resident memory, and what they add to the CPU time of busy ones."""
    if target.pid is None:
        return None
    points = Workload("busy", "point-text", workload.busy or 1, "query")
    with Load(target, points, seconds) as busy:
        alone = [Spent(target, busy)] if workload.busy else []
        settle_until_quiet(target.pid)
        before = resident_kib(target.pid)
        with Load(target, workload, 0) as load:
            settle_until_quiet(target.pid)
            after = resident_kib(target.pid)
            beside = Spent(target, busy) if workload.busy else None
            held = load.work()["operations"]
        settle_until_quiet(target.pid)
        alone += [Spent(target, busy)] if workload.busy else []
    if held != workload.connections:
        raise Failure(f"{target.name} held {held} of {workload.connections} idle sessions")
    figures = {"operations": held, "kib_per_session": (after - before) / workload.connections}
    if not workload.reduced:
        figures["sessions_held"] = held
    if beside:
        figures["cpu_s_per_1000_queries_alone"] = per_1000_queries(*alone)
        figures["cpu_s_per_1000_queries_beside"] = per_1000_queries(beside)
        figures["cpu_beside_to_alone"] = per_1000_queries(beside) / max(per_1000_queries(*alone), 1e-9)
    return figures


def per_1000_queries(*spent):
    return 1000 * sum(one.cpu for one in spent) / sum(one.figures["operations"] for one in spent)


def settle_until_quiet(pid):
    """Until a process that has connections to open or close has done so."""
    settle(IDLE_SETTLE_SECONDS)
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    spent = cpu_seconds(pid)
    while time.monotonic() < deadline:
        settle(0.1)
        before, spent = spent, cpu_seconds(pid)
        if spent - before < 0.002:
            return


def count_syscalls(target, workload, seconds):
    """System calls per operation by name, with their sum as "all"; nothing without a process or a way to count."""
    if target.pid is None or workload.kind in ("idle", "workers"):
        return None
    with load_of(target, workload, seconds) as load:
        settle()
        figures, calls = syscalls.count(target.pid, load.work)
    if calls is None or figures["operations"] == 0:
        return None
    return {name: count / figures["operations"] for name, count in {"epoll_ctl": 0, **calls}.items()}
