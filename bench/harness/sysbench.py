"""sysbench as a load generator: its transactions of many statements, through any target."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab import Failure

from harness.processes import end_in_time

ROWS = 100_000
STARTED = "Threads started!"
ATTEMPTS = 6


def unavailable():
    return None if shutil.which("sysbench") else "sysbench isn't installed (tools/install-deps bench)"


class Sysbench:
    """Its sessions are open once it is made. It works for whole seconds; an operation is one query, a latency that of a
    transaction. The password is in its command line; it is the private server's, or a token for the private gateway."""

    def __init__(self, target, workload, seconds):
        self.target = target
        self.directory = tempfile.TemporaryDirectory(prefix="sallyport-bench-sysbench-")
        self.make_tls_files(target.laboratory.values)
        address = [f"--mysql-socket={target.socket}"] if target.socket else ["--mysql-host=127.0.0.1",
                                                                              f"--mysql-port={target.port}"]
        command = ["sysbench", workload.script, *address, f"--mysql-user={target.user}",
                   f"--mysql-password={target.password()}", "--mysql-db=shop", "--tables=1", f"--table-size={ROWS}",
                   f"--threads={workload.connections}", f"--time={max(1, round(seconds))}", "--histogram=on", "run"]
        if target.tls:
            command.insert(-1, "--mysql-ssl=on")
        self.open_sessions(command)

    def open_sessions(self, command):
        """Its threads log in at once, which the client library gets wrong now and then: it loads its plugins meanwhile."""
        for attempt in range(1, ATTEMPTS + 1):
            self.process = subprocess.Popen(command, cwd=self.directory.name, stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.watchdog = end_in_time(self.process)
            self.printed = []
            try:
                self.read_until(STARTED)
                return
            except Failure:
                self.watchdog.cancel()
                self.process.stdout.close()
                if attempt == ATTEMPTS:
                    self.directory.cleanup()
                    raise

    @property
    def pid(self):
        return self.process.pid

    def make_tls_files(self, values):
        """It takes these from its working directory, by fixed names."""
        for name, source in (("cacert", "LAB_CA"), ("client-cert", "LAB_CERTIFICATE"), ("client-key", "LAB_KEY")):
            shutil.copy(values[source], Path(self.directory.name) / f"{name}.pem")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.watchdog.cancel()
        self.process.kill()
        self.process.stdout.close()
        self.process.wait()
        self.directory.cleanup()

    def read_until(self, text):
        for line in self.process.stdout:
            self.printed.append(line)
            if text in line:
                return
        status = self.process.wait()
        fatal = next((line for line in self.printed if "FATAL" in line), "".join(self.printed[-5:]))
        raise Failure(f"sysbench ended with status {status} at {self.target.name}: {fatal.strip()}")

    def work(self):
        """Until it has printed its report, when its sessions are closed."""
        self.read_until("execution time (avg/stddev):")
        return figures("".join(self.printed))


def figures(report):
    """The figures of one report, as bench/load gives them."""
    queries = re.search(r"^\s+queries:\s+(\d+)\s+\(([\d.]+) per sec", report, re.MULTILINE)
    seconds = re.search(r"total time:\s+([\d.]+)s", report)
    buckets = [(float(value), int(count)) for value, count in
               re.findall(r"^\s*([\d.]+) \|\**\s+(\d+)\s*$", report, re.MULTILINE)]
    if not (queries and seconds and buckets):
        raise Failure(f"sysbench's report isn't understood:\n{report}")
    percentiles = {f"p{percent}_us": percentile(buckets, percent) * 1000 for percent in (50, 95, 99)}
    return {"operations": int(queries[1]), "seconds": float(seconds[1]), "rate": float(queries[2]), **percentiles}


def percentile(buckets, percent):
    """Of a histogram of (value, count) in order."""
    wanted = sum(count for _, count in buckets) * percent / 100
    seen = 0
    for value, count in buckets:
        seen += count
        if seen >= wanted:
            return value
    return buckets[-1][0]
