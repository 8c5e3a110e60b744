"""The server and the identity provider that all targets share, made by the code of tools/lab."""

import os
import re
import resource
import shutil
import subprocess
import tempfile
from pathlib import Path

from lab import certificates, provider
from lab.processes import free_port
from lab.servers import MariaDb, quoted

from harness.processes import BenchProgram

REPOSITORY = Path(__file__).resolve().parents[2]
ACCOUNT = "reporter"
TOKEN_SECONDS = 3600  # a session ends with its token
OPEN_FILES = 65536  # a proxy has two for each of 10,000 sessions


class BenchServer(MariaDb):
    """One account without TLS of its own, so that direct, relayed and gateway's connections log in alike."""

    options = (*MariaDb.options, "--max-connections=12000", "--back-log=2048", "--max-connect-errors=1000000")

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.program = BenchProgram(self.directory, "server")

    def account_statements(self, passwords):
        return [f"CREATE USER {user}@'%' IDENTIFIED BY {quoted(password)}" for user, password in passwords.items()]

    def allow_writing(self):
        """In the table that sysbench writes in."""
        self.execute("GRANT INSERT, UPDATE, DELETE ON shop.sbtest1 TO sallyport_reporter@'%'")


def raise_open_files():
    """For all that is started from here on. Returns the limit; beyond the hard one only root gets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for limits in ((OPEN_FILES, max(OPEN_FILES, hard)), (min(hard, OPEN_FILES), hard)):
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limits[0]), limits[1]))
            break
        except (ValueError, OSError):
            continue
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class Laboratory:
    """Use it in a `with`: it ends what it started and removes its directory."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-bench-"))
        self.programs = []
        self.router_program = None
        self.values = {"LAB_DIR": self.directory, "LAB_SERVER_KIND": "mariadb"}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def start(self):
        self.open_files = raise_open_files()
        (self.directory / "secrets").mkdir(mode=0o700)
        tls = self.directory / "tls"
        certificates.make(tls)
        self.server = BenchServer(self.directory, self.directory / "server.sock", free_port(), tls)
        self.programs.append(self.server.program)
        self.server.start()
        self.server.load(REPOSITORY / "bench" / "points.sql")
        self.server.make_accounts(self.directory / "secrets")
        self.server.allow_writing()
        version = self.server.version()
        cache = Path(os.environ.get("SALLYPORT_CACHE", REPOSITORY / ".cache"))
        program, url, secret = provider.start(self.directory, cache, free_port())
        self.programs.append(program)
        self.values.update(
            LAB_SERVER_SOCKET=self.server.socket, LAB_SERVER_PORT=self.server.port, LAB_SERVER_VERSION=version,
            LAB_GREETING_VERSION=f"5.5.5-{version}" if version.startswith("10.") else version,
            LAB_ISSUER_URL=url, LAB_PROVIDER_SECRET=secret, LAB_CA=tls / "ca.pem",
            LAB_CERTIFICATE=tls / "gateway.pem", LAB_KEY=tls / "gateway-key.pem",
            LAB_SECRETS_DIR=self.directory / "secrets")

    def close(self):
        for program in reversed(self.programs):
            program.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    @property
    def server_pid(self):
        return self.server.program.process.pid

    def server_password(self):
        return (self.directory / "secrets" / "sallyport_reporter").read_text().strip()

    def router(self):
        """MySQL Router's program; None when it can't be had."""
        if self.router_program is None:
            done = subprocess.run([str(REPOSITORY / "tools" / "mysql-server"), "--router", "--no-fetch"],
                                  capture_output=True, text=True, check=False)
            found = re.search(r"^MYSQLROUTER=(.+)$", done.stdout, re.MULTILINE) if done.returncode == 0 else None
            self.router_program = Path(found[1]) if found else False
        return self.router_program or None

    def token(self):
        return provider.request_token(self.values["LAB_ISSUER_URL"], self.values["LAB_PROVIDER_SECRET"], ACCOUNT,
                                      ttl=TOKEN_SECONDS)
