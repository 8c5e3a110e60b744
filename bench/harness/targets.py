"""What is measured: a direct connection, relays, the gateway. One object each; TARGETS names them."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from lab import Failure, gateway
from lab.processes import free_port
from lab.provider import answers

from harness.processes import BenchProgram

REPOSITORY = Path(__file__).resolve().parents[2]
BUILD = REPOSITORY / "build" / "bench" / "bin"
START_SECONDS = 10


class Target:
    """A process between client and server, or none."""

    baseline = None  # the target that its CPU time and latency are divided by

    def __init__(self, name, laboratory, *, tls):
        self.name, self.laboratory, self.tls = name, laboratory, tls
        self.user = "sallyport_reporter"
        self.port = None
        self.program = None

    def start(self):
        pass

    def stop(self):
        if self.program is not None:
            self.program.stop()
            self.program = None

    @property
    def pid(self):
        return None if self.program is None else self.program.process.pid

    def password(self):
        return self.laboratory.server_password()

    def run(self, command, ready):
        self.program = BenchProgram(self.laboratory.directory, self.name)
        self.program.start([str(part) for part in command])
        self.program.wait_until(ready, START_SECONDS)


class Direct(Target):
    def start(self):
        self.port = self.laboratory.server.port


class Relay(Target):
    """bench/relay.cpp, or another with the same options."""

    def __init__(self, name, laboratory, *, tls, binary):
        super().__init__(name, laboratory, tls=tls)
        self.binary = binary
        self.baseline = "relay-tls" if tls else "relay"

    def start(self):
        self.port = free_port()
        values = self.laboratory.values
        tls = ["-T", values["LAB_CERTIFICATE"], "-k", values["LAB_KEY"]] if self.tls else []
        self.run([self.binary, "-l", self.port, "-p", values["LAB_SERVER_PORT"], *tls],
                 lambda: gateway.listens(self.port))


class Sallyport(Target):
    baseline = "relay-tls"

    def __init__(self, name, laboratory, *, server_address, worker_threads=1):
        super().__init__(name, laboratory, tls=True)
        self.server_address, self.worker_threads = server_address, worker_threads
        self.user = "shop"
        self.directory = laboratory.directory / name

    def start(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        for name in ("audit", "state"):
            (self.directory / name).mkdir(parents=True, mode=0o700)
        self.port, admin = free_port(), free_port()
        values = {**self.laboratory.values, "LAB_PORT": self.port, "LAB_ADMIN_PORT": admin,
                  "LAB_STATE_DIR": self.directory / "state", "LAB_AUDIT_DIR": self.directory / "audit",
                  "LAB_WORKER_THREADS": self.worker_threads}
        values["LAB_SERVER_ADDRESS"] = self.server_address.format(**values)
        configuration = self.directory / "gateway.yaml"
        configuration.write_text(gateway.fill(REPOSITORY / "bench" / "gateway.yaml", values), encoding="utf-8")
        self.run([sallyport_binary(), "serve", "--config", configuration],
                 lambda: answers(f"http://127.0.0.1:{admin}/readyz") and gateway.listens(self.port))

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)  # the audit log of a run is large

    def password(self):
        return self.laboratory.token()


def sallyport_binary():
    return Path(os.environ.get("SALLYPORT_BINARY", BUILD / "sallyport"))


def make_targets(laboratory, other_relay=None):
    """All that can be measured here, in the order in which they take turns."""
    relay = BUILD / "relay"
    targets = [Direct("direct", laboratory, tls=False), Direct("direct-tls", laboratory, tls=True),
               Relay("relay", laboratory, tls=False, binary=relay), Relay("relay-tls", laboratory, tls=True, binary=relay)]
    if other_relay is not None:
        targets += [Relay("other-relay", laboratory, tls=False, binary=other_relay),
                    Relay("other-relay-tls", laboratory, tls=True, binary=other_relay)]
    return [*targets,
            Sallyport("sallyport", laboratory, server_address="host: 127.0.0.1\n    port: {LAB_SERVER_PORT}"),
            Sallyport("sallyport-socket", laboratory, server_address='socket: "{LAB_SERVER_SOCKET}"')]


DEFAULT_TARGETS = ("direct", "direct-tls", "relay", "relay-tls", "other-relay", "other-relay-tls", "sallyport")


def compile_relay(source, directory):
    """Builds a relay from one C file; returns its program."""
    program = Path(directory) / "other-relay"
    done = subprocess.run(["cc", "-O2", "-o", str(program), str(source), "-lssl", "-lcrypto", "-lpthread"],
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failure(f"{source} doesn't compile:\n{done.stderr}")
    return program


def settle(seconds=0.05):
    """Lets a process finish what the preparation left it to do, before it is measured."""
    time.sleep(seconds)
