"""The rounds in which targets take turns, and what couldn't be measured in them."""

import sys
import time
from dataclasses import replace

from lab import Failure

from harness import sysbench
from harness.measure import count_syscalls, measure
from harness.processes import memory_available_kib, same_autogroup

FILES_BESIDE = 256  # open files that a process, as the gateway does, keeps beside those of its sessions
IDLE_KIB = 300  # that client, server and a proxy take for one idle session, together
SYSCALL_SECONDS_MAX = 0.5


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


class Rounds:
    """Runs workloads, and for those named in `syscalls` a pass that counts system calls. What can't be had or fails is
    left out, with the reason in `absent` (of targets) or `failed`."""

    def __init__(self, laboratory, targets, *, seconds, rounds, minutes, syscalls):
        self.laboratory, self.seconds, self.rounds, self.syscalls = laboratory, seconds, rounds, syscalls
        self.deadline = time.monotonic() + 60 * minutes
        self.targets = {}
        self.absent, self.failed, self.measured, self.calls = {}, {}, {}, {}
        self.cut = []  # workloads that got fewer rounds, because the time was up
        for name, target in targets.items():
            reason = target.unavailable()
            if reason is None:
                self.targets[name] = target
            else:
                self.absent[name] = reason
                say(f"without {name}: {reason}")

    def run(self, workload, names):
        """Measures the workload at the targets of these names, in turn."""
        reason = self.unavailable(workload)
        if reason is not None:
            self.fail(workload.name, reason)
            return
        workload = self.within_open_files(workload)
        targets = [target for name, target in self.targets.items() if name in names]
        rounds = min(self.rounds, workload.rounds_max or self.rounds)
        say(f"{workload.name}: {rounds} rounds of {', '.join(one.name for one in targets)}")
        found = {target.name: [] for target in targets}
        try:
            for number in range(rounds):
                if number > 0 and time.monotonic() > self.deadline:
                    self.cut.append(workload.name)
                    break
                for target in list(targets):
                    if not self.run_one(workload, target, found[target.name]):
                        targets.remove(target)
            if workload.name in self.syscalls:
                self.count_syscalls(workload, targets)
        finally:
            self.stop(self.targets.values())
        self.measured[workload.name] = {name: figures for name, figures in found.items() if figures}

    def run_one(self, workload, target, found):
        """Adds the figures of a round. False when it can't be measured."""
        try:
            if workload.kind == "idle":
                self.stop([target])
            if not self.started(target):
                return False
            figures = measure(target, workload, self.seconds)
            if workload.kind == "idle":
                self.stop([target])
        except (Failure, OSError) as failure:  # the second of a process that has died
            self.fail(f"{workload.name} at {target.name}", str(failure))
            self.stop([target])
            return False
        if figures is not None:
            found.append(figures)
        return True

    def count_syscalls(self, workload, targets):
        for target in targets:
            try:
                counts = count_syscalls(target, workload, min(self.seconds, SYSCALL_SECONDS_MAX))
            except (Failure, OSError) as failure:
                self.fail(f"system calls of {workload.name} at {target.name}", str(failure))
                continue
            if counts is not None:
                self.calls.setdefault(workload.name, {})[target.name] = counts

    def unavailable(self, workload):
        if workload.kind == "sysbench":
            return sysbench.unavailable()
        if workload.kind == "idle" and memory_available_kib() < IDLE_KIB * workload.connections:
            return "there isn't memory enough for clients, server and proxy"
        return None

    def within_open_files(self, workload):
        """The workload, with fewer sessions where the limit of open files forces it: a proxy has two for each."""
        sessions_max = (self.laboratory.open_files - FILES_BESIDE) // 2 - max(workload.busy, 1)
        if workload.kind != "idle" or workload.connections <= sessions_max:
            return workload
        self.fail(f"{workload.name} with all its sessions",
                  f"{sessions_max} only, as no process may have more than {self.laboratory.open_files} files open here")
        return replace(workload, connections=sessions_max, reduced=True)

    def fail(self, what, reason):
        lines = [line.strip() for line in reason.splitlines() if line.strip()] or ["no reason given"]
        self.failed[what] = " ... ".join(dict.fromkeys((lines[0], lines[-1])))
        say(f"not measured: {what}: {reason}")

    def started(self, target):
        """Starts it unless it runs. False if that fails of a target that others do without."""
        if target.program is not None:
            return True
        try:
            target.start()
        except Failure as failure:
            if not target.optional:
                raise
            self.fail(target.name, str(failure))
            self.stop([target])
            self.absent[target.name] = self.failed.pop(target.name)
            del self.targets[target.name]
            return False
        if target.pid is not None and not same_autogroup(target.pid):
            say(f"warning: {target.name} is in another scheduler group; its figures aren't comparable")
        return True

    @staticmethod
    def stop(targets):
        for target in targets:
            target.stop()
