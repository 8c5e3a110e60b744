"""The mariadb program draws a long statement's progress on its terminal."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

from test_protocol import slow_to_alter as _slow_to_alter

slow_to_alter = _slow_to_alter  # a fixture


def read_until(terminal, wanted, seconds):
    seen, deadline = b"", time.monotonic() + seconds
    while not re.search(wanted, seen):
        ready, _, _ = select.select([terminal], [], [], max(0, deadline - time.monotonic()))
        assert ready, seen.decode(errors="replace")
        seen += os.read(terminal, 4096)
    return seen


@pytest.mark.parametrize("option, drawn", [("--progress-reports", True), ("--skip-progress-reports", False)])
def test_the_client_draws_progress_on_a_terminal(lab, slow_to_alter, option, drawn):
    parent, child = pty.openpty()
    client = subprocess.Popen(
        [shutil.which("mariadb"), "--no-defaults", option, "--host=127.0.0.1", f"--port={lab.port}", "--user=shop",
         f"--password={lab.token('writer')}", f"--ssl-ca={lab.ca}", "--ssl-verify-server-cert", "shop"],
        stdin=child, stdout=child, stderr=child, start_new_session=True, close_fds=True)
    os.close(child)
    try:
        read_until(parent, rb"> ", 20)
        os.write(parent, slow_to_alter.encode() + b";\n")
        seen = read_until(parent, rb"Query OK, 1000 rows affected", 120)
        stages = [(int(one), int(of), float(percent)) for one, of, percent
                  in re.findall(rb"Stage: (\d+) of (\d+) '[^']+' +([\d.]+)% of stage done", seen)]
        assert bool(stages) == drawn, seen
        assert stages == sorted(stages) and all(one <= of and percent <= 100 for one, of, percent in stages)
        os.write(parent, b"SELECT CONCAT('still ', 'here');\nquit\n")
        read_until(parent, rb"still here", 20)
        assert client.wait(20) == 0
    finally:
        if client.poll() is None:
            os.kill(client.pid, signal.SIGKILL)
        client.wait()
        os.close(parent)
