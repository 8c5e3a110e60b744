"""What is measured: a direct connection, a relay, the gateway. One object each; proxies.py has the others and names all."""

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
START_SECONDS = 20
# What a target is compared with: those that do the same to the client's side.
BASES = {"plain": ("direct", "relay", "other-relay"), "tls": ("direct-tls", "relay-tls", "other-relay-tls"),
         "unix": ("relay-unix",)}


class Target:
    """A process between client and server, or none."""

    optional = False  # without it, the others are measured all the same

    def __init__(self, name, laboratory, side):
        self.name, self.laboratory = name, laboratory
        self.side = side  # how its clients come: "plain" or "tls" by TCP, or by a "unix" socket
        self.user = "sallyport_reporter"
        self.port = None
        self.socket = None
        self.program = None
        self.directory = laboratory.directory / name

    @property
    def tls(self):
        return self.side == "tls"

    @property
    def bases(self):
        return tuple(name for name in BASES[self.side] if name != self.name)

    def unavailable(self):
        """Why it can't be had here, in words; None when it can."""
        return None

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

    def run_listening(self, command):
        self.run(command, lambda: gateway.listens(self.port))

    def make_directory(self, *names):
        """Afresh, with directories of these names in it."""
        shutil.rmtree(self.directory, ignore_errors=True)
        for name in ("", *names):
            (self.directory / name).mkdir(parents=True, mode=0o700)

    def write(self, name, text):
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
        return path


class Direct(Target):
    def start(self):
        self.port = self.laboratory.server.port


class Relay(Target):
    """bench/relay.cpp, or another with the same options."""

    def __init__(self, name, laboratory, side, *, binary):
        super().__init__(name, laboratory, side)
        self.binary = binary

    def start(self):
        values = self.laboratory.values
        if self.side == "unix":
            self.socket = self.laboratory.directory / f"{self.name}.sock"
            self.socket.unlink(missing_ok=True)
            self.run([self.binary, "-u", self.socket, "-p", values["LAB_SERVER_PORT"]], self.socket.exists)
            return
        self.port = free_port()
        tls = ["-T", values["LAB_CERTIFICATE"], "-k", values["LAB_KEY"]] if self.tls else []
        self.run_listening([self.binary, "-l", self.port, "-p", values["LAB_SERVER_PORT"], *tls])


class Sallyport(Target):
    """The gateway, by bench/gateway.yaml; each session has a server connection of its own unless `pool` says otherwise, and verifies
    each token's signature unless `verified_signatures_max` says otherwise."""

    def __init__(self, name, laboratory, side="tls", *, server="host: 127.0.0.1\n    port: {LAB_SERVER_PORT}",
                 pool="mode: dedicated", worker_threads=1, verified_signatures_max=0, durability="normal"):
        super().__init__(name, laboratory, side)
        self.server, self.pool, self.worker_threads = server, pool, worker_threads
        self.verified_signatures_max = verified_signatures_max
        self.durability = durability
        self.user = "shop"

    @property
    def bases(self):
        beside = {"sallyport-unaudited": self.tls, "sallyport": self.worker_threads > 1, "sync-each": self.durability == "strict"}
        return (*super().bases, *(name for name, compared in beside.items() if compared and name != self.name))

    @property
    def binary(self):
        return sallyport_binary()

    def start(self):
        self.make_directory("audit", "state")
        self.port, admin = free_port(), free_port()
        values = {**self.laboratory.values, "LAB_PORT": self.port, "LAB_ADMIN_PORT": admin,
                  "LAB_STATE_DIR": self.directory / "state", "LAB_AUDIT_DIR": self.directory / "audit",
                  "LAB_CLIENT_SOCKET": self.directory / "clients.sock", "LAB_WORKER_THREADS": self.worker_threads,
                  "LAB_VERIFIED_SIGNATURES_MAX": self.verified_signatures_max,
                  "LAB_DURABILITY": self.durability}
        values["LAB_SERVER_ADDRESS"] = self.server.format(**values)
        values["LAB_POOL"] = f"pool: {{{self.pool}}}"
        if self.side == "unix":
            self.socket = values["LAB_CLIENT_SOCKET"]
        configuration = self.write("gateway.yaml", gateway.fill(REPOSITORY / "bench" / "gateway.yaml", values))
        self.run([self.binary, "serve", "--config", configuration],
                 lambda: answers(f"http://127.0.0.1:{admin}/readyz") and gateway.listens(self.port))

    def stop(self):
        super().stop()
        shutil.rmtree(self.directory, ignore_errors=True)  # the audit log of a run is large

    def password(self):
        return self.laboratory.token()


class Unaudited(Sallyport):
    """The gateway without audit records, which only the bench builds."""

    optional = True

    @property
    def binary(self):
        return BUILD / "sallyport-unaudited"

    def unavailable(self):
        return None if self.binary.exists() else "it isn't built"


class SyncEach(Target):
    """Not a process: a file that is appended to and synced, a record of a statement at a time. What a log comes to that
    shares no sync between statements, however many connections there are."""

    RECORDS = b"x" * 650  # of a point select, its command and its outcome
    FILE_BYTES = 64 << 20  # allocated, as the gateway's own

    def __init__(self, name, laboratory):
        super().__init__(name, laboratory, "plain")

    @property
    def bases(self):
        return ()

    def measure(self, seconds):
        """As bench/load says it."""
        self.make_directory()
        took = []
        file = os.open(self.directory / "log", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, self.FILE_BYTES)
            os.fsync(file)
            begin = before = time.monotonic()
            while before - begin < seconds:
                os.pwrite(file, self.RECORDS, len(took) * len(self.RECORDS) % (self.FILE_BYTES - len(self.RECORDS)))
                os.fdatasync(file)
                now = time.monotonic()
                took.append(1e6 * (now - before))
                before = now
        finally:
            os.close(file)
            shutil.rmtree(self.directory)
        took.sort()
        return {"operations": len(took), "seconds": before - begin, "rate": len(took) / (before - begin),
                **{f"p{percent}_us": took[len(took) * percent // 100] for percent in (50, 95, 99)}}


def sallyport_binary():
    return Path(os.environ.get("SALLYPORT_BINARY", BUILD / "sallyport"))


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
