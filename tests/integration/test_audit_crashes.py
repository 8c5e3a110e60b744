"""The audit log after the gateway was killed, and while its disk is full: the server never ran what the log lacks."""

import base64
import contextlib
import hashlib
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

from laboratory import REPOSITORY, Laboratory, audit_segments, segment_text, wait_until
from mysql_wire import Closed, ServerError

LONG = "SALLYPORT_TEST_LONG" in os.environ
BINARY = os.environ.get("SALLYPORT_BINARY", str(REPOSITORY / "build" / "release" / "bin" / "sallyport"))
ROUNDS = 500 if LONG else 20
CLIENTS = 6
MARKER = re.compile(r"marker-[0-9]+-[0-9]+-[0-9]+")


class Tree:
    """The right edge of an RFC 6962 tree, as docs/audit-format.md has it."""

    def __init__(self):
        self.size, self.edge = 0, []  # hashes of complete subtrees, and their sizes

    def append(self, record):
        self.size += 1
        self.edge.append((hashlib.sha256(b"\0" + record).digest(), 1))
        while len(self.edge) > 1 and self.edge[-1][1] == self.edge[-2][1]:
            (right, size), (left, _) = self.edge.pop(), self.edge.pop()
            self.edge.append((hashlib.sha256(b"\1" + left + right).digest(), 2 * size))

    def root(self):
        root = self.edge[-1][0] if self.edge else hashlib.sha256().digest()
        for left, _ in reversed(self.edge[:-1]):
            root = hashlib.sha256(b"\1" + left + root).digest()
        return root


class Gateway:
    """The gateway of a lab, which the test starts and kills."""

    def __init__(self, lab, **audit):
        self.lab = lab
        os.kill(lab.pid, signal.SIGKILL)
        wait_until(lambda: not lab.alive(), 10, "the end of the lab's own gateway")
        path = lab.values["LAB_CONFIG"]
        with open(path, encoding="utf-8") as file:
            text = file.read()
        settings = ", ".join(f"{name}: {value}" for name, value in audit.items())
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub("audit: {durability: [a-z]+, ", f"audit: {{{settings}, ", text))
        self.process = None

    def start(self, **options):
        """With options of subprocess.Popen()."""
        with open(self.lab.values["LAB_GATEWAY_LOG"], "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", "--config", self.lab.values["LAB_CONFIG"]],
                                            **{"stderr": log, **options})
        self.lab.values["LAB_GATEWAY_PID"] = str(self.process.pid)

        def ready():
            assert self.process.poll() is None, "the gateway does not start: " + self.lab.gateway_log()[-1000:]
            with contextlib.suppress(OSError):
                return self.lab.admin("/healthz")[0] == 200
            return False
        wait_until(ready, 20, "a gateway that serves")

    def kill(self, number=signal.SIGKILL):
        self.process.send_signal(number)
        return self.process.wait(timeout=20)


OWN_VERIFIER = [BINARY, "audit", "verify"]
OTHER_VERIFIER = [sys.executable, str(REPOSITORY / "tests" / "audit" / "verify.py")]


def assert_verifies(lab, verifiers=(OWN_VERIFIER, OTHER_VERIFIER)):
    """By the gateway's own verifier, and by that of another origin."""
    arguments = [lab.values["LAB_AUDIT_DIR"], "--public-key", lab.values["LAB_AUDIT_PUBLIC_KEY"]]
    for program in verifiers:
        done = subprocess.run([*program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


@contextlib.contextmanager
def gateway_of(kind, directory, **audit):
    lab = Laboratory(directory, kind)
    gateway = Gateway(lab, **audit)
    try:
        yield lab, gateway
    finally:
        if gateway.process is not None and gateway.process.poll() is None:
            gateway.kill()
        lab.close()


def work(lab, token, name, stopped):
    """Statements that can be told apart, as texts and as executions with a parameter, until the session is gone."""
    with contextlib.suppress(Closed, ServerError, OSError):
        with lab.login(token=token) as client:
            statement = client.prepare("DO ?")[0]
            number = 0
            while not stopped.is_set():
                number += 1
                if number % 3 == 0:
                    client.execute(statement, [f"marker-{name}-{number}".encode()])
                else:
                    client.query(f"DO 'marker-{name}-{number}'")


class Log:
    """What the log of a lab has, read on from where it was read last; its checkpoint is checked on the way."""

    def __init__(self, lab):
        self.lab, self.tree, self.place = lab, Tree(), (0, 0)
        self.markers, self.starts = {}, []

    def read(self):
        origin, size, root = (self.lab.audit_directory() / "checkpoint").read_text().splitlines()[:3]
        assert origin
        seen = self.tree.size > int(size)
        for first, begin, line in self.lines():
            record = line[:-1]
            self.tree.append(record)
            self.place = first, begin
            if self.tree.size == int(size):
                seen = True
                assert base64.b64encode(self.tree.root()).decode() == root, "the checkpoint is not of these records"
            if b'"type":"audit_start"' in record:
                self.starts.append(record.decode())
            elif b'"type":"command"' in record:
                for marker in MARKER.findall(record.decode()):
                    self.markers[marker] = self.markers.get(marker, 0) + 1
        assert seen, "the checkpoint covers records that are not there"

    def lines(self):
        """With the place behind each: its segment, and the bytes of that up to it."""
        first, begin = self.place
        for number, lines in audit_lines_of_segments(self.lab.audit_directory(), first):
            at = 0
            for line in lines:
                at += len(line)
                if number > first or at > begin:
                    yield number, at, line


def audit_lines_of_segments(directory, since):
    for number, path in audit_segments(directory):
        if number >= since:
            text = segment_text(path, 0)
            yield number, text[:text.rfind(b"\n") + 1].splitlines(keepends=True)


@pytest.mark.ends_gateway
@pytest.mark.parametrize("durability", ["normal", "strict"])
@pytest.mark.timeout(7200 if LONG else 900)
def test_kill_at_random_points(kind, tmp_path, durability):
    """Whatever the server's general log has of agents is in the audit log, once, and the log is whole."""
    chance = random.Random(f"{kind} {durability}")
    with gateway_of(kind, tmp_path / "lab", durability=durability, segment_bytes="256KiB") as (lab, gateway):
        lab.ask_root("SET GLOBAL log_output = 'TABLE'")
        lab.ask_root("SET GLOBAL general_log = 1")
        log, ran = Log(lab), set()
        for round_number in range(ROUNDS):
            gateway.start()
            token, stopped = lab.token("reporter"), threading.Event()
            clients = [threading.Thread(target=work, args=(lab, token, f"{round_number}-{i}", stopped)) for i in range(CLIENTS)]
            for client in clients:
                client.start()
            time.sleep(chance.uniform(0.02, 0.6))
            gateway.kill()
            stopped.set()
            for client in clients:
                client.join()
            rows = lab.ask_root("SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
                                " WHERE command_type IN ('Query', 'Execute') AND argument LIKE '%marker-%'")
            ran.update(marker for row in rows for marker in MARKER.findall(row[0]))
            lab.ask_root("TRUNCATE mysql.general_log")
            if round_number % 10 == 9 or round_number == ROUNDS - 1:
                gateway.start()
                log.read()
                missing = {marker for marker in ran if marker not in log.markers}
                assert not missing, f"ran without a record, up to round {round_number}: {sorted(missing)[:5]} of {len(missing)}"
                twice = [marker for marker, times in log.markers.items() if times > 1]
                assert not twice, f"recorded twice: {twice[:5]} of {len(twice)}"
                ran.clear()
                assert gateway.kill(signal.SIGTERM) == 0
                assert_verifies(lab, [OWN_VERIFIER])
        assert_verifies(lab, [OTHER_VERIFIER])  # which takes minutes for a log of many rounds
    assert len(log.markers) > 20 * ROUNDS, "the test tests something"
    assert len(log.starts) > ROUNDS
    restored = sum(int(re.search(r'"restored_records":([0-9]+)', start)[1]) for start in log.starts)
    assert restored > 0, "the journals were needed"


@contextlib.contextmanager
def small_disk(path, size):
    path.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(path)], capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("no right to mount a file system")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.ends_gateway
@pytest.mark.parametrize("durability", ["normal", "strict"])
def test_a_disk_that_is_full(kind, tmp_path, durability):
    """Statements are refused, in words; none runs; with room again all goes on, and the log is whole."""
    disk = tmp_path / "disk"
    with small_disk(disk, "3m"), gateway_of(kind, tmp_path / "lab", durability=durability, journal_bytes="128KiB",
                                            segment_bytes="64MiB") as (lab, gateway):
        config = lab.values["LAB_CONFIG"]
        with open(config, encoding="utf-8") as file:
            text = file.read().replace(f'directory: "{lab.values["LAB_AUDIT_DIR"]}"', f'directory: "{disk}/audit"')
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        lab.values["LAB_AUDIT_DIR"] = f"{disk}/audit"
        gateway.start()
        ballast = disk / "ballast"
        with lab.login() as client:
            executed = int(lab.ask_root("SHOW GLOBAL STATUS LIKE 'Com_do'")[0][1])
            with open(ballast, "wb") as file, contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            refused = None
            for number in range(20_000):
                try:
                    client.query(f"DO 'marker-0-0-{number}'")
                    executed += 1
                except ServerError as error:
                    refused = error
                    break
            assert refused is not None and "audit_unavailable" in refused.message
            for _ in range(50):
                with pytest.raises(ServerError, match="audit_unavailable"):
                    client.query("DO 'marker-1-0-0'")
            assert int(lab.ask_root("SHOW GLOBAL STATUS LIKE 'Com_do'")[0][1]) == executed, "a statement ran without a record"
            assert lab.metrics()["sallyport_audit_failing"] == 1
            with pytest.raises(OSError):
                lab.admin("/readyz")
            ballast.unlink()
            wait_until(lambda: lab.metrics()["sallyport_audit_failing"] == 0, 10, "a log that is written again")
            client.query("DO 'marker-2-0-0'")
        lab.wait_for_log()
        log = Log(lab)
        log.read()
        assert len([marker for marker in log.markers if marker.startswith("marker-0-0-")]) >= number
        assert "marker-2-0-0" in log.markers
        assert gateway.kill(signal.SIGTERM) == 0
        assert_verifies(lab)


@pytest.mark.ends_gateway
def test_no_room_for_the_journals(kind, tmp_path):
    """Is said at the start, and nothing is served."""
    disk = tmp_path / "disk"
    with small_disk(disk, "1m"), gateway_of(kind, tmp_path / "lab", journal_bytes="2MiB") as (lab, gateway):
        config = lab.values["LAB_CONFIG"]
        with open(config, encoding="utf-8") as file:
            text = file.read().replace(f'directory: "{lab.values["LAB_AUDIT_DIR"]}"', f'directory: "{disk}/audit"')
        with open(config, "w", encoding="utf-8") as file:
            file.write(text)
        with pytest.raises(AssertionError, match="no room for"):
            gateway.start()
        assert gateway.process.wait(timeout=10) == 1
