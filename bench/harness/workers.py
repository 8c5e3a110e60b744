"""Holding worker threads back, so that load generator and server have room whatever the number of cores.

On a machine of few cores they, not the gateway, bound the rate, and a second worker thread could show nothing. So each
worker thread gets the same small share of a core, by the kernel's deadline scheduler: then it is the workers that bound
the rate, and two of them should serve twice as much, unless they wait for each other or the sessions are ill spread.
"""

import subprocess
from pathlib import Path

from lab import Failure

SHARE = 0.2
PERIOD_NS = 1_000_000  # a share is used up before the requests at hand are: 200 µs are some ten queries


class CannotHoldBack(Failure):
    """The kernel or the container doesn't let us."""


def loop_threads(pid):
    """Those that serve sessions."""
    return [int(name.parent.name) for name in Path(f"/proc/{pid}/task").glob("*/comm") if name.read_text().startswith("loop-")]


def hold_back(pid, count):
    threads = loop_threads(pid)
    if len(threads) != count:
        raise CannotHoldBack(f"the gateway has {len(threads)} threads that serve, and should have {count}")
    for thread in threads:
        done = subprocess.run(["chrt", "--deadline", "--sched-runtime", str(int(PERIOD_NS * SHARE)), "--sched-deadline",
                               str(PERIOD_NS), "--sched-period", str(PERIOD_NS), "--pid", "0", str(thread)],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotHoldBack(f"a thread can't be given a share of a core: {done.stderr.strip()}")
