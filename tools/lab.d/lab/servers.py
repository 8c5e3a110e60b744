"""The lab's database server: MariaDB as installed, or MySQL as tools/mysql-server brings it."""

import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path

from lab import Failure
from lab.processes import Program

REPOSITORY = Path(__file__).resolve().parents[3]
SYSTEM_SCHEMAS = ("mysql", "sys", "information_schema", "performance_schema")
START_SECONDS = 60


def quoted(text):
    return "'" + str(text).replace("\\", "\\\\").replace("'", "''") + "'"


class Server:
    """What both kinds share. A subclass says how its programs are called and how its accounts are made."""

    kind = ""
    options = ()

    def __init__(self, directory, socket, port, tls):
        self.directory, self.socket, self.port, self.tls = directory, socket, port, tls
        self.data = directory / "server-data"
        self.temporary = directory / "server-tmp"
        self.files = directory / "server-files"  # what LOAD DATA and SELECT INTO OUTFILE may touch
        self.program = Program(directory, "server")

    def common_options(self):
        user = ["--user=root"] if os.geteuid() == 0 else []
        return ["--no-defaults", f"--datadir={self.data}", f"--tmpdir={self.temporary}", f"--secure-file-priv={self.files}", *user]

    def start(self):
        self.temporary.mkdir()
        self.files.mkdir()
        self.initialise()
        self.run()

    def run(self):
        """Starts the program on the data directory that start() made."""
        self.program.start([
            self.server_program, *self.common_options(), f"--socket={self.socket}", f"--port={self.port}",
            "--bind-address=127.0.0.1", f"--pid-file={self.directory}/server.pid", "--skip-name-resolve",
            f"--ssl-ca={self.tls}/ca.pem", f"--ssl-cert={self.tls}/server.pem", f"--ssl-key={self.tls}/server-key.pem",
            "--max-allowed-packet=64M", "--innodb-buffer-pool-size=96M", "--innodb-flush-log-at-trx-commit=2",
            "--max-connections=500", *self.options])
        self.program.wait_until(self.ready, START_SECONDS)

    def run_initialisation(self, command):
        with open(self.program.log, "ab") as log:
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False)
            except FileNotFoundError:
                raise Failure(f"{command[0]} is missing. Run tools/install-deps.") from None
        if done.returncode != 0:
            raise Failure(self.program.explain("can't make its data directory"))

    def root_command(self):
        return [self.client_program, "--no-defaults", f"--socket={self.socket}", "--user=root", "--batch",
                "--skip-column-names", "--default-character-set=utf8mb4"]

    def ready(self):
        return self.socket.exists() and subprocess.run([*self.root_command(), "-e", "SELECT 1"], capture_output=True,
                                                       check=False).returncode == 0

    def execute(self, sql, source="its accounts", schema=None):
        """Runs SQL as root through the server's socket and returns what it prints."""
        command = self.root_command() + ([schema] if schema else [])
        done = subprocess.run(command, input=sql, text=True, capture_output=True, check=False)
        if done.returncode != 0:
            raise Failure(f"the server refuses {source}: {done.stderr.strip()}\nMend the SQL, then run `tools/lab up` again.")
        return done.stdout

    def load(self, path):
        try:
            text = Path(path).read_text(encoding="utf-8")
        except OSError as error:
            raise Failure(f"{path} can't be read: {error.strerror}") from None
        # A file may well make the schema itself, without IF NOT EXISTS.
        makes_shop = re.search(r"create\s+(database|schema)\s+[`\"]?shop\b", text, re.IGNORECASE)
        if not makes_shop:
            self.execute("CREATE DATABASE IF NOT EXISTS shop CHARACTER SET utf8mb4")
        self.execute(text, source=str(path), schema=None if makes_shop else "shop")

    def make_accounts(self, secrets_directory):
        """The accounts that the gateway logs in as: one of a role's own, one shared by roles."""
        passwords = {}
        for user in ("sallyport_reporter", "sallyport_shared"):
            passwords[user] = secrets.token_urlsafe(24)
            path = secrets_directory / user
            path.write_text(passwords[user] + "\n")
            path.chmod(0o600)
        schemas = [name for name in self.execute("SHOW DATABASES").split() if name not in SYSTEM_SCHEMAS]
        grants = []
        for schema in schemas:
            grants += [f"GRANT SELECT, SHOW VIEW, EXECUTE ON `{schema}`.* TO shop_reader",
                       f"GRANT SELECT, SHOW VIEW, EXECUTE ON `{schema}`.* TO sallyport_reporter@'%'",
                       f"GRANT ALL PRIVILEGES ON `{schema}`.* TO shop_writer"]
        statements = ["CREATE ROLE shop_reader", "CREATE ROLE shop_writer", *self.account_statements(passwords), *grants,
                      "GRANT shop_reader TO sallyport_shared@'%'", "GRANT shop_writer TO sallyport_shared@'%'"]
        self.execute(";\n".join(statements) + ";\n")

    def version(self):
        return self.execute("SELECT VERSION()").strip()


class MariaDb(Server):
    kind = "mariadb"
    server_program = "/usr/sbin/mariadbd"
    client_program = "mariadb"
    options = ("--character-set-server=utf8mb4", "--innodb-log-file-size=24M", "--skip-log-bin")

    def initialise(self):
        self.run_initialisation(["mariadb-install-db", *self.common_options(), "--auth-root-authentication-method=normal",
                                 "--skip-test-db", "--innodb-log-file-size=24M"])

    def account_statements(self, passwords):
        """Native for one, ed25519 for the other when the server has it, so that both are used."""
        reporter, shared = (quoted(passwords[user]) for user in ("sallyport_reporter", "sallyport_shared"))
        if "auth_ed25519.so" in self.execute("SELECT PLUGIN_LIBRARY FROM information_schema.ALL_PLUGINS"):
            via = f"VIA ed25519 USING PASSWORD({reporter})"
            install = ["INSTALL SONAME 'auth_ed25519'"]
        else:
            via, install = f"BY {reporter}", []
        return [*install, f"CREATE USER sallyport_reporter@'%' IDENTIFIED {via} REQUIRE SSL",
                f"CREATE USER sallyport_shared@'%' IDENTIFIED BY {shared}"]


class MySql(Server):
    kind = "mysql"
    options = ("--mysqlx=0", "--innodb-redo-log-capacity=64M", "--disable-log-bin", "--performance-schema=ON")

    def __init__(self, directory, socket, port, tls):
        super().__init__(directory, socket, port, tls)
        done = subprocess.run([str(REPOSITORY / "tools" / "mysql-server")], stdout=subprocess.PIPE, text=True, check=False)
        if done.returncode != 0:
            raise Failure("MySQL can't be had (above).")
        found = dict(line.split("=", 1) for line in done.stdout.splitlines())
        self.server_program, self.client_program = found["MYSQLD"], found["MYSQL"]

    def initialise(self):
        """A fresh data directory takes MySQL some seconds, so the first one of a version is kept for the next labs."""
        said = subprocess.run([self.server_program, "--version"], capture_output=True, text=True, check=False).stdout
        version = re.search(r"Ver (\S+)", said)
        cache = Path(os.environ.get("SALLYPORT_CACHE", REPOSITORY / ".cache"))
        kept = cache / f"mysql-data-{version[1]}-{os.geteuid()}" if version else None
        if kept is None or not kept.is_dir():
            self.run_initialisation([self.server_program, *self.common_options(), "--initialize-insecure",
                                     "--innodb-redo-log-capacity=64M"])
            if kept is not None:
                fresh = cache / f".{kept.name}.{os.getpid()}"
                shutil.copytree(self.data, fresh)
                try:
                    fresh.rename(kept)
                except OSError:  # another lab was faster
                    shutil.rmtree(fresh)
            return
        shutil.copytree(kept, self.data)
        (self.data / "auto.cnf").unlink(missing_ok=True)  # the server's UUID; it makes a new one

    def account_statements(self, passwords):
        requirement = {"sallyport_reporter": "REQUIRE SSL", "sallyport_shared": ""}
        return [f"CREATE USER {user}@'%' IDENTIFIED WITH caching_sha2_password BY {quoted(password)} {requirement[user]}"
                for user, password in passwords.items()]


KINDS = {"mariadb": MariaDb, "mysql": MySql}
