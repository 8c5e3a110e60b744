"""Counting a process's system calls: by perf's tracepoint counters, which cost it little, or by strace."""

import os
import re
import shutil
import signal
import subprocess
import tempfile

# Those that a proxy may make while it works; all others are in the sum only. More events make perf slow to end.
NAMES = ("accept4", "close", "connect", "epoll_ctl", "epoll_pwait", "epoll_wait", "fdatasync", "futex", "getrandom",
         "pwrite64", "read", "readv", "recvfrom", "recvmsg", "sendmsg", "sendto", "setsockopt", "socket",
         "timerfd_settime", "write", "writev")
TRACEPOINTS = ("raw_syscalls:sys_enter", *(f"syscalls:sys_enter_{name}" for name in NAMES))


def count(pid, work):
    """Runs work() and returns what it returned, and {name: calls} with the sum as "all" (None: no way to count)."""
    if shutil.which("perf") and perf_works(pid):
        return count_by_perf(pid, work)
    if shutil.which("strace"):
        return count_by_strace(pid, work)
    return work(), None


def perf_works(pid):
    done = subprocess.run(["perf", "stat", "-x", ",", "-e", TRACEPOINTS[0], "-p", str(pid), "true"], capture_output=True,
                          check=False)
    return done.returncode == 0


def count_by_perf(pid, work):
    control_read, control_write = os.pipe()
    acknowledge_read, acknowledge_write = os.pipe()
    perf = subprocess.Popen(["perf", "stat", "-x", ",", "-D", "-1", "-e", ",".join(TRACEPOINTS), "-p", str(pid),
                             "--control", f"fd:{control_read},{acknowledge_write}"],
                            pass_fds=(control_read, acknowledge_write), stderr=subprocess.PIPE, text=True)
    os.close(control_read)
    os.close(acknowledge_write)

    def tell(command):
        os.write(control_write, command + b"\n")
        os.read(acknowledge_read, 16)

    try:
        tell(b"enable")
        result = work()
        tell(b"disable")
    finally:
        perf.send_signal(signal.SIGINT)
        printed = perf.communicate()[1]
        os.close(control_write)
        os.close(acknowledge_read)
    calls = {}
    for line in printed.splitlines():
        fields = line.split(",")
        if len(fields) > 2 and fields[0].isdigit() and int(fields[0]) > 0:
            calls[fields[2].rpartition("sys_enter")[2].lstrip("_") or "all"] = int(fields[0])
    return result, calls or None


def count_by_strace(pid, work):
    with tempfile.NamedTemporaryFile("r", prefix="bench-strace-") as summary:
        strace = subprocess.Popen(["strace", "-c", "-f", "-o", summary.name, "-p", str(pid)], stderr=subprocess.PIPE,
                                  text=True)
        attached = strace.stderr.readline()
        if "attached" not in attached:
            strace.communicate()
            return work(), None
        try:
            result = work()
        finally:
            strace.send_signal(signal.SIGINT)
            strace.communicate()
        calls = {}
        for line in summary:  # % time, seconds, usecs/call, calls, errors if any, name
            match = re.match(r"\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+)\s+(?:\d+\s+)?(\w+)$", line)
            if match:
                calls["all" if match[2] == "total" else match[2]] = int(match[1])
    return result, calls or None
