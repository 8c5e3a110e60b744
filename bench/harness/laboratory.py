"""The server and the identity provider that all targets share, made by the code of tools/lab."""

import os
import resource
import shutil
import tempfile
from pathlib import Path

from lab import certificates, provider
from lab.processes import free_port
from lab.servers import MariaDb, quoted

from harness.processes import BenchProgram

REPOSITORY = Path(__file__).resolve().parents[2]
ACCOUNT = "reporter"
TOKEN_SECONDS = 3600  # a session ends with its token
OPEN_FILES = 65536


class BenchServer(MariaDb):
    """One account without TLS of its own, so that direct, relayed and gateway's connections log in alike."""

    options = (*MariaDb.options, "--max-connections=12000", "--back-log=2048", "--max-connect-errors=1000000")

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.program = BenchProgram(self.directory, "server")

    def account_statements(self, passwords):
        return [f"CREATE USER {user}@'%' IDENTIFIED BY {quoted(password)}" for user, password in passwords.items()]


class Laboratory:
    """Use it in a `with`: it ends what it started and removes its directory."""

    def __init__(self):
        self.directory = Path(tempfile.mkdtemp(prefix="sallyport-bench-"))
        self.programs = []
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
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, OPEN_FILES)), hard))
        (self.directory / "secrets").mkdir(mode=0o700)
        tls = self.directory / "tls"
        certificates.make(tls)
        self.server = BenchServer(self.directory, self.directory / "server.sock", free_port(), tls)
        self.programs.append(self.server.program)
        self.server.start()
        self.server.load(REPOSITORY / "bench" / "points.sql")
        self.server.make_accounts(self.directory / "secrets")
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

    def token(self):
        return provider.request_token(self.values["LAB_ISSUER_URL"], self.values["LAB_PROVIDER_SECRET"], ACCOUNT,
                                      ttl=TOKEN_SECONDS)
