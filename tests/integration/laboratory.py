"""A lab as the tests use it: started by tools/lab, with what its server, its audit log and its processes tell."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pymysql

from forge import Key
from mysql_wire import Client

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TOKEN_REUSE_SECONDS = 60
TOKEN_SECONDS = 1200  # a session ends with its token, which outlives any test on a machine however busy
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def has_address(address):
    try:
        socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET).close()
        return True
    except OSError:
        return False


SYNTAX_ERROR = re.compile(r"(?:Sallyport: )?You have an error in your SQL syntax.*? near '(.*)' at line ([0-9]+)"
                          r"(?:[.] Nothing was executed[.] \[statement_not_understood\])?", re.DOTALL)


def as_one_says(message):
    """Servers and gateway say of a syntax error where it is, in different words."""
    return SYNTAX_ERROR.sub(r"A syntax error near '\1' at line \2", message)


def wait_until(true, seconds=10, what="a condition"):
    deadline = time.monotonic() + seconds
    while True:
        value = true()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about within {seconds} s")
        time.sleep(0.02)


@contextlib.contextmanager
def local_files_on(lab):
    """The server's own switch, which MySQL has off."""
    before = lab.ask_root("SELECT @@GLOBAL.local_infile")[0][0]
    lab.ask_root("SET GLOBAL local_infile = 1")
    try:
        yield
    finally:
        lab.ask_root(f"SET GLOBAL local_infile = {before}")


def audit_segments(directory):
    """The segments of an audit log: the index of the first record, and the file, the open form where there are two."""
    found = {}
    for path in sorted(Path(directory).glob("records-*.jsonl*")):
        if path.suffix in (".jsonl", ".zst"):
            found.setdefault(int(path.name[len("records-"):][:20]), path)
    return sorted(found.items())


def segment_text(path, begin):
    """From that byte on. A segment may be compressed while it is looked at."""
    with contextlib.suppress(FileNotFoundError):
        if path.suffix == ".jsonl":
            with open(path, "rb") as file:
                file.seek(begin)
                return file.read()
    closed = path if path.suffix == ".zst" else path.with_name(path.name + ".zst")
    return subprocess.run(["zstd", "-dcq", str(closed)], capture_output=True, check=True).stdout[begin:]


def audit_lines(directory, since=None):
    """The whole lines behind a place that audit_end() gave."""
    first, begin = since or (0, 0)
    lines = []
    for number, path in audit_segments(directory):
        if number >= first:
            text = segment_text(path, begin if number == first else 0)
            lines += text[:text.rfind(b"\n") + 1].splitlines(keepends=True)
    return lines


def audit_end(directory):
    """Behind the last whole line: the number of its segment, and how many bytes of that are before."""
    segments = audit_segments(directory)
    if not segments:
        return 0, 0
    first, path = segments[-1]
    return first, segment_text(path, 0).rfind(b"\n") + 1


class Laboratory:
    def __init__(self, directory, kind, with_gateway=True, template="gateway.yaml"):
        self.kind, self.directory = kind, Path(directory)
        self.tokens = {}
        self.direct_answers, self.recorded_runs = {}, {}  # of test_drivers.py, by driver
        self.given = self.directory.parent / f"given-{kind}"
        self.given.mkdir(parents=True, exist_ok=True)
        self.make_forge_keys()
        # A machine may have no IPv6; its test is skipped then.
        self.loopback_6 = "::1" if has_address("::1") else "127.0.0.1"
        text = (HERE / template).read_text().replace("@FORGE_JWKS@", str(self.jwks_file))
        # Of servers that are newer than the one here, whatever they might have besides.
        text = text.replace("@NEWER_VERSION@", "11.8.2-MariaDB" if kind == "mariadb" else "9.9.0")
        # A busy machine's disk may take its time.
        durability = os.environ.get("SALLYPORT_TEST_DURABILITY", "normal")
        text = text.replace("audit: {", f"audit: {{durability: {durability}, stall_limit: 30s, ")
        text = text.replace("@BEST_COMPRESSION@", "zstd" if kind == "mysql" else "zlib")
        (self.given / "gateway.yaml").write_text(text.replace("@LOOPBACK_6@", self.loopback_6))
        options = ["--config", str(self.given / "gateway.yaml")] if with_gateway else ["--without-gateway"]
        self.start("--server", kind, *options)
        self.values = dict(line.split("=", 1) for line in (self.directory / "env").read_text().splitlines())
        self.ca = self.values["LAB_CA"]
        self.root = pymysql.connect(unix_socket=self.values["LAB_SERVER_SOCKET"], user="root", autocommit=True)

    def start(self, *options):
        """A free port may be another's by the time that it is used, as labs start side by side: then once more."""
        for attempt in range(3):
            self.lab("down")
            try:
                self.lab("up", *options)
                return
            except AssertionError:
                if attempt == 2:
                    raise

    def make_forge_keys(self):
        self.jwks_file = self.given / "forge-jwks.json"
        self.keys = {name: Key(algorithm, name) for name, algorithm in
                     (("es-1", "ES256"), ("rs-1", "RS256"), ("ps-1", "PS256"), ("ed-1", "EdDSA"))}
        self.keys["enc-1"] = Key("RS256", "enc-1", use="enc", alg="RSA-OAEP")
        self.keys["weak-1"] = Key("RS256", "weak-1", weak_rsa_key())
        self.jwks_file.write_text(json.dumps({"keys": [key.jwk() for key in self.keys.values()]}))

    def lab(self, *arguments):
        if arguments[0] == "rotate-keys":
            self.tokens.clear()
        done = subprocess.run([sys.executable, "-B", str(REPOSITORY / "tools" / "lab"), "--dir", str(self.directory), *arguments],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"tools/lab {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done.stdout.strip()

    def close(self):
        self.root.close()
        self.lab("down")

    # Logging in

    @property
    def port(self):
        return int(self.values["LAB_PORT"])

    def listener_port(self, name):
        spare = {"clear": 1, "openid": 2, "dialog": 3}
        return self.port if name == "main" else int(self.values[f"LAB_SPARE_PORT_{spare[name]}"])

    def token(self, name, *options):
        """A token from the provider. One without options may be used by several tests, as long as it is young."""
        if options:
            return self.lab("token", name, *options)
        issued, text = self.tokens.get(name, (0, ""))
        if time.monotonic() - issued > TOKEN_REUSE_SECONDS or not issued:
            issued, text = time.monotonic(), self.lab("token", name, "--ttl", str(TOKEN_SECONDS))
            self.tokens[name] = issued, text
        return text

    def login(self, account="reporter", *, user="shop", token=None, schema=None, **options):
        """A session of the tests' own client, through the gateway."""
        client = Client(self.port)
        try:
            client.login(user, self.token(account) if token is None else token, self.ca, schema, **options)
        except BaseException:
            client.close()
            raise
        return client

    # What the server saw

    def ask_root(self, sql):
        with self.root.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    @contextlib.contextmanager
    def server_logins(self):
        """A list that holds, at the end of the block, every login that the server saw within it, refused ones included,
        and a line for those that it gave up on. The status variable Connections would count the server's own threads as
        well: MySQL's is its counter of thread ids, of which the event scheduler and each event take one.
        """
        logins = []
        before = self.ask_root("SELECT @@GLOBAL.general_log, @@GLOBAL.log_output")[0]
        self.ask_root("SET GLOBAL log_output = 'TABLE'")
        self.ask_root("SET GLOBAL general_log = 1")
        self.ask_root("TRUNCATE mysql.general_log")
        given_up = self.given_up()
        try:
            yield logins
            logins += [row[0] for row in self.ask_root("SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log"
                                                       " WHERE command_type = 'Connect'")]
            if self.given_up() != given_up:
                logins.append(f"{self.given_up() - given_up} aborted")
        finally:
            self.ask_root(f"SET GLOBAL general_log = {before[0]}")
            self.ask_root(f"SET GLOBAL log_output = '{before[1]}'")

    def given_up(self):
        return int(self.ask_root("SHOW GLOBAL STATUS LIKE 'Aborted_connects'")[0][1])

    def load_fixture(self):
        with open(REPOSITORY / "tests" / "drivers" / "fixture.sql", "rb") as script:
            subprocess.run([self.values["LAB_CLIENT"], "--no-defaults", "--user=root", f"--socket={self.values['LAB_SERVER_SOCKET']}",
                            "--default-character-set=utf8mb4"], stdin=script, check=True)

    # What the gateway wrote

    def audit_directory(self):
        return Path(self.values["LAB_AUDIT_DIR"])

    def audit_text(self):
        self.wait_for_log()
        return b"".join(audit_lines(self.audit_directory())).decode()

    def audit(self, since=None):
        """The records after the mark that audit_mark() gave."""
        self.wait_for_log()
        return [json.loads(line) for line in audit_lines(self.audit_directory(), since)]

    def audit_mark(self):
        """Where the log ends now. The drivers' large values make it long, so no test reads it from the start."""
        self.wait_for_log()
        return audit_end(self.audit_directory())

    def wait_for_log(self):
        """What was committed before a statement was forwarded is in the journals, and in the log a little later."""
        if self.alive():
            made = self.metrics()["sallyport_audit_records_total"]
            wait_until(lambda: self.metrics()["sallyport_audit_written_records_total"] >= made, 10, "records in the log")
            # Records are counted when their session comes to it; so more may be on their way.
            wait_until(lambda: self.metrics()["sallyport_audit_waiting_bytes"] == 0, 10, "an empty journal")

    def wait_for_record(self, since, **members):
        def found():
            return [one for one in self.audit(since) if all(one.get(name) == value for name, value in members.items())]
        return wait_until(found, 5, f"an audit record with {members}")[0]

    def gateway_log(self):
        return Path(self.values["LAB_GATEWAY_LOG"]).read_text(errors="replace")

    # The gateway's process

    @property
    def pid(self):
        return int(self.values["LAB_GATEWAY_PID"])

    def alive(self):
        try:
            return Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False

    def open_files(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def resident_bytes(self):
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def reload(self, edit):
        """Rewrites the configuration by edit(text), lets the gateway read it again, and returns what it was."""
        path = Path(self.values["LAB_CONFIG"])
        before = path.read_text()
        path.write_text(edit(before))
        os.kill(self.pid, signal.SIGHUP)
        return before

    def metrics(self):
        """Name with labels, as /metrics writes it, to value."""
        _, text = self.admin("/metrics")
        return {name: float(value) for name, value in
                (line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#"))}

    def admin(self, path):
        with OPENER.open(self.values["LAB_ADMIN_URL"] + path, timeout=5) as response:
            return response.status, response.read().decode()


def weak_rsa_key():
    """1024 bits: the library warns of generating one, or refuses; openssl makes it."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key
    made = subprocess.run(["openssl", "genrsa", "1024"], capture_output=True, check=True)
    return load_pem_private_key(made.stdout, password=None)
