"""One private MariaDB as the suite's `--extern` mode expects it and, for a run through the gateway, a gateway and a relay."""

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pymysql

from lab import Failure, certificates
from lab.gateway import listens
from lab.processes import Program, free_port

from conformance.relay import PLACEHOLDER, Counts

HERE = Path(__file__).resolve().parent.parent
SUITE = Path("/usr/share/mysql/mysql-test")
READY_SECONDS = 60
RESTARTS_MAX = 2000
TOKEN_TTL = "12h"
CONNECT = re.compile(r"^[^#\n]*\bconnect\s*\(\s*[^,()]+,([^,()]*),([^,()]*)(?:,([^,()]*))?", re.MULTILINE | re.IGNORECASE)
CHANGE_USER = re.compile(r"^\s*-*\s*change_user\s+([^,;\s]+)\s*,\s*([^,;\s]*)", re.MULTILINE | re.IGNORECASE)
NAME = re.compile(r"[A-Za-z0-9_.@-]{1,128}")
LOGINS_MAX = 900

# What the suite's own runner sets for a server beside its include/default_mysqld.cnf, which is read as it is.
SERVER_OPTIONS = ("--server-id=1", "--skip-log-bin", "--max-connections=300", "--bind-address=127.0.0.1")

GATEWAY = """listeners:
  - {{name: main, address: 127.0.0.1, port: {port}, flavor: mariadb, server_version: "{version}",
     tls: {{certificate: "{tls}/gateway.pem", key: "{tls}/gateway-key.pem"}}}}
admin: {{address: 127.0.0.1, port: {admin_port}}}
worker_threads: 1
state_directory: "{directory}/state"
issuers:
  - {{name: suite, kind: oidc, issuer: "{issuer}", audiences: [sallyport], lifetime_max: 24h,
     keys: {{jwks_file: "{directory}/issuer/jwks.json"}}}}
connections:
  - name: by_socket
    flavor: mariadb
    socket: "{server_socket}"
    pool: {{mode: dedicated}}
    logins:
{logins}
  - name: by_tcp
    flavor: mariadb
    host: 127.0.0.1
    port: {server_port}
    tls: {{mode: disabled}}
    pool: {{mode: dedicated}}
    logins:
{logins}
service_accounts:
  - name: suite
    match: [{{issuer: suite, claims: {{sub: agent-suite}}}}]
    grants:
{grants}
audit: {{directory: "{directory}/audit", stall_limit: 30s}}
log: {{level: info, format: json}}
"""


def suite_logins(tests):
    """The users and passwords with which tests open connections, root first, as far as their texts name them."""
    found = {("root", ""): None}
    for path in [*tests, *sorted((SUITE / "include").glob("*.inc"))]:
        text = path.read_text(encoding="latin-1")
        pairs = [(match[2], match[3] or "") for match in CONNECT.finditer(text)]
        pairs += [(match[1], match[2]) for match in CHANGE_USER.finditer(text)]
        for pair in pairs:
            user, password = (one.strip().strip("'\"`") for one in pair)
            if NAME.fullmatch(user) and (not password or NAME.fullmatch(password)):
                found[user, password] = None
    return list(found)[:LOGINS_MAX]


class Site:
    def __init__(self, directory):
        self.directory, self.vardir = directory, directory / "var"
        self.server_socket, self.server_port = directory / "server.sock", free_port()
        self.programs, self.relay_port = [], None
        self.ending, self.ended, self.restarts = threading.Lock(), False, 0

    def start(self):
        self.directory.mkdir(parents=True)
        for name in ("var/mysqld.1", "var/tmp", "var/log", "issuer", "state", "audit", "secrets", "server-tmp"):
            (self.directory / name).mkdir(parents=True, mode=0o700)
        certificates.make(self.directory / "tls")
        self.start_server()

    def server_options(self):
        defaults = self.directory / "server.cnf"
        defaults.write_text(f"!include {SUITE}/include/default_mysqld.cnf\n")
        certificate = SUITE / "std_data"
        return [f"--defaults-file={defaults}", f"--datadir={self.vardir}/mysqld.1/data", f"--secure-file-priv={self.vardir}",
                f"--tmpdir={self.directory}/server-tmp", f"--ssl-ca={certificate}/cacert.pem",
                f"--ssl-cert={certificate}/server-cert.pem", f"--ssl-key={certificate}/server-key.pem",
                *(["--user=root"] if os.geteuid() == 0 else [])]

    def start_server(self):
        log = self.directory / "server.log"
        with open(log, "ab") as output:
            done = subprocess.run(["mariadb-install-db", *self.server_options(), "--auth-root-authentication-method=normal"],
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False)
        if done.returncode != 0:
            raise Failure(f"the server can't make its data directory, see {log}")
        self.server = Program(self.directory, "server")
        self.programs.append(self.server)
        self.start_program()
        self.make_tables()
        self.server.stop()
        shutil.copytree(self.vardir / "mysqld.1", self.directory / "first", symlinks=True)
        self.start_program()
        threading.Thread(target=self.keep_server, daemon=True).start()

    def make_tables(self):
        """What the suite expects beside its schema `test`, and what cleans up between tests."""
        statements = ["CREATE DATABASE IF NOT EXISTS test", "CREATE DATABASE mtr", "DELETE FROM mysql.global_priv WHERE User=''",
                      "FLUSH PRIVILEGES"]
        for name in ("mtr_warnings", "mtr_check"):
            text = (SUITE / f"include/{name}.sql").read_text(encoding="utf-8")
            # The client that these are written for takes any line that begins with -- for a comment.
            statements += re.sub(r"^\s*--.*$", "", text, flags=re.MULTILINE).replace("delimiter ||;", "").split("||")
        statements += (HERE / "cleaner.sql").read_text(encoding="utf-8").split("\n//\n")
        with pymysql.connect(unix_socket=str(self.server_socket), user="root") as connection, connection.cursor() as cursor:
            for statement in filter(str.strip, statements):
                cursor.execute(statement)

    def start_program(self):
        self.server.start(["/usr/sbin/mariadbd", *self.server_options(), *SERVER_OPTIONS, f"--socket={self.server_socket}",
                           f"--port={self.server_port}", f"--pid-file={self.directory}/server.pid"])
        self.server.wait_until(lambda: self.sql("SELECT 1").returncode == 0, READY_SECONDS)

    def keep_server(self):
        """Starts the server again whenever it ended: tests shut it down and wait for it, or it shall be as it was first."""
        while True:
            self.server.process.wait()
            with self.ending:
                if self.ended:
                    return
                self.restarts += 1
                if self.restarts > RESTARTS_MAX:
                    return
                if (self.directory / "reset").exists():
                    shutil.rmtree(self.vardir / "mysqld.1")
                    shutil.copytree(self.directory / "first", self.vardir / "mysqld.1", symlinks=True)
                    (self.directory / "reset").unlink()
                try:
                    self.start_program()
                except Failure:
                    (self.directory / "reset").touch()

    def sql(self, text):
        return subprocess.run(["mariadb", "--no-defaults", "--user=root", f"--socket={self.server_socket}"], input=text,
                              text=True, capture_output=True, check=False)

    def greeting_version(self):
        with socket.socket(socket.AF_UNIX) as probe:
            probe.connect(str(self.server_socket))
            return probe.recv(512)[5:].split(b"\0")[0].decode()

    def start_gateway(self, binary, logins):
        port, admin_port = free_port(), free_port()
        door_port = self.start_door()
        issuer = self.directory / "issuer"
        issuer.rmdir()
        subprocess.run([binary, "dev", "issuer", "init", "--directory", issuer], capture_output=True, check=True)
        token = subprocess.run([binary, "dev", "token", "mint", "--directory", issuer, "--account", "agent-suite", "--ttl",
                                TOKEN_TTL], capture_output=True, text=True, check=True).stdout.strip()
        names = [f"login_{number}" for number in range(len(logins))]
        grants = [f"      - {{connection: {connection}, role: {name}, login: {name}, local_infile: true}}" for connection in ("by_socket", "by_tcp")
                  for name in names]
        config = self.directory / "gateway.yaml"
        config.write_text(GATEWAY.format(
            port=port, admin_port=admin_port, version=self.greeting_version(), tls=self.directory / "tls",
            directory=self.directory, issuer=self.issuer_of(token), server_socket=self.directory / "door.sock",
            server_port=door_port, logins="\n".join(map(self.login_entry, names, logins)), grants="\n".join(grants)))
        self.gateway = Program(self.directory, "gateway")
        self.gateway.start([str(binary), "serve", "--config", str(config)])
        self.programs.insert(0, self.gateway)
        self.gateway.wait_until(lambda: listens(port), READY_SECONDS)
        self.tell("relay", {"socket_path": f"{self.directory}/relay.sock", "gateway_port": port,
                            "server_socket": str(self.server_socket), "ca": f"{self.directory}/tls/ca.pem", "token": token,
                            "grants": [(*login, name) for login, name in zip(logins, names)]})
        self.relay_port = self.port_of("relay")

    def start_door(self):
        self.tell("door", {"socket_path": f"{self.directory}/door.sock", "server_socket": str(self.server_socket),
                           "server_port": self.server_port})
        self.between = Program(self.directory, "relay")
        self.between.start([sys.executable, "-B", "-m", "conformance.relay", str(self.directory)])
        self.programs.append(self.between)
        return self.port_of("door")

    def tell(self, name, settings):
        """Hands the relay's process its settings, whole or not at all: they hold the token."""
        path = self.directory / f"{name}.new"
        path.touch(mode=0o600)
        path.write_text(json.dumps(settings))
        path.rename(self.directory / f"{name}.json")

    def port_of(self, name):
        path = self.directory / f"{name}.port"
        self.between.wait_until(lambda: path.exists() and path.read_text(), READY_SECONDS)
        return int(path.read_text())

    def login_counts(self):
        """After stop()."""
        path = self.directory / "counts.json"
        return Counts(**json.loads(path.read_text())) if path.exists() else Counts()

    def login_entry(self, name, login):
        user, password = login
        secret = self.directory / "secrets" / name
        secret.write_text((password or PLACEHOLDER.decode()) + "\n")
        secret.chmod(0o600)
        return f"      - {{name: {name}, user: {json.dumps(user)}, password: {{file: {json.dumps(str(secret))}}}}}"

    @staticmethod
    def issuer_of(token):
        body = token.split(".")[1]
        return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))["iss"]

    def entrance(self):
        """Socket and port that the suite is told."""
        if self.relay_port:
            return f"{self.directory}/relay.sock", self.relay_port
        return str(self.server_socket), self.server_port

    def stop(self):
        with self.ending:
            self.ended = True
        for program in self.programs:
            program.stop()

    def remove(self):
        shutil.rmtree(self.directory, ignore_errors=True)
