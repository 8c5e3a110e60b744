"""Holding worker threads back, so that load generator and server have room whatever the number of cores.

On a machine of few cores they, not the gateway, bound the rate, and a second worker thread could show nothing. So each
worker thread gets the same small share of a core, by the kernel's deadline scheduler: then it is the workers that bound
the rate, and two of them should serve twice as much, unless they wait for each other or the sessions are ill spread.
"""

import subprocess
from pathlib import Path

from lab import Failure

SHARE = 0.2
PERIOD_NS = 5_000_000


class CannotHoldBack(Failure):
    """The kernel or the container doesn't let us."""


def busiest_threads(pid, count):
    """Those that have worked most; after the clients' logins these are the workers."""
    spent = {}
    for schedstat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        spent[int(schedstat.parent.name)] = int(schedstat.read_text(encoding="ascii").split()[0])
    return sorted(spent, key=spent.get)[-count:]


def hold_back(pid, count):
    for thread in busiest_threads(pid, count):
        done = subprocess.run(["chrt", "--deadline", "--sched-runtime", str(int(PERIOD_NS * SHARE)), "--sched-deadline",
                               str(PERIOD_NS), "--sched-period", str(PERIOD_NS), "--pid", "0", str(thread)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotHoldBack(f"a thread can't be given a share of a core: {done.stderr.strip()}")
