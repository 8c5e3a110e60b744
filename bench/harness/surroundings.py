"""What a measurement was made on: machine, versions, commit."""

import os
import platform
import re
import subprocess
from pathlib import Path

from harness.targets import REPOSITORY, sallyport_binary


def said(*command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=REPOSITORY).stdout.strip()
    except OSError:
        return ""


def processor():
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
    return found[1] if found else platform.machine()


def version_of(program, option="--version"):
    """The first line that says it; "none" without the program."""
    lines = [line for line in said(str(program), option).splitlines() if re.search(r"\d\.\d", line)] if program else []
    return lines[0].strip() if lines else "none"


def describe(server_version, router):
    changed = said("git", "status", "--porcelain", "--untracked-files=no", "--", "src", "apps", "cmake", "bench")
    return {
        "commit": said("git", "rev-parse", "--short=12", "HEAD") + (" with changes" if changed else ""),
        "processor": processor(),
        "cores": len(os.sched_getaffinity(0)),
        "virtual machine": said("systemd-detect-virt", "--vm") or "unknown",
        "kernel": platform.release(),
        "sallyport": said(str(sallyport_binary()), "version"),
        "compiler": said("c++", "--version").split("\n", 1)[0],
        "server": server_version,
        "openssl": said("openssl", "version"),
        "haproxy": version_of("haproxy", "-v"),
        "router": version_of(router),
        "proxysql": version_of("proxysql"),
        "sysbench": version_of("sysbench"),
        "load_average": os.getloadavg()[0],
    }
