"""What `tools/lab` does, one function a command."""

import argparse
import json
import os
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from lab import Failure, certificates, gateway, provider
from lab.processes import Program, free_port
from lab.servers import KINDS

REPOSITORY = Path(__file__).resolve().parents[3]
SAMPLE = Path(__file__).resolve().parent.parent / "shop.sql"
PROGRAMS = ("gateway", "provider", "server")  # in the order in which they are ended
SPARE_PORTS = 8  # free ports for templates with more listeners or servers: LAB_SPARE_PORT_1 and so on
SOCKET_PATH_MAX = 100  # bytes; the kernel takes 107, and MySQL adds a suffix for its lock file

DESCRIPTION = """A lab on this machine: a real MariaDB or MySQL server with a sample shop, a real OpenID Connect provider,
and the gateway in front, all on free loopback ports and in a private directory.

  tools/lab up                          MariaDB; --server=mysql for MySQL 9.7
  tools/lab sql reporter -e 'SELECT * FROM orders LIMIT 3'
  tools/lab token writer --ttl 30       a token, to log in with by hand: user `shop`, the token as password
  tools/lab rotate-keys                 the provider signs with new keys
  tools/lab down

`.lab/env` says where everything is, as KEY=VALUE lines. The service accounts `reporter` (reads) and `writer` (reads and
writes) may open the connection `shop`. Several labs run side by side with --dir, or with LAB_DIR in the environment.
"""


class Lab:
    def __init__(self, directory):
        self.directory = Path(os.path.abspath(directory))
        self.env_file = self.directory / "env"

    def program(self, name):
        return Program(self.directory, name)

    def running(self):
        return [name for name in PROGRAMS if self.program(name).pid() is not None]

    def values(self):
        try:
            lines = self.env_file.read_text(encoding="utf-8").splitlines()
        except OSError:
            raise Failure(f"no lab is up in {self.directory}. Start one with `tools/lab up`.") from None
        return dict(line.split("=", 1) for line in lines)

    def write_values(self, values):
        self.env_file.write_text("".join(f"{key}={value}\n" for key, value in values.items()), encoding="utf-8")


def cache_directory():
    return Path(os.environ.get("SALLYPORT_CACHE", REPOSITORY / ".cache"))


def say(text):
    print(f"lab: {text}", flush=True)


def socket_path(directory):
    """A path short enough for a socket, and the directory made for it, if one had to be."""
    path = directory / "server.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_MAX:
        return path, None
    short = Path(tempfile.mkdtemp(prefix="sallyport-lab-"))
    return short / "server.sock", short


def clear(lab):
    """Removes what a lab left. Only a directory that a lab made, or an empty one, is touched."""
    if not lab.directory.exists():
        return
    entries = set(os.listdir(lab.directory))
    if entries and not entries & {"env", "tls", "pids", "made-by-tools-lab"}:
        raise Failure(f"{lab.directory} holds other things. Name another directory with --dir.")
    remove_socket_directory(lab)
    shutil.rmtree(lab.directory)


def remove_socket_directory(lab):
    try:
        short = lab.values().get("LAB_SOCKET_DIR")
    except Failure:
        return
    if short:
        shutil.rmtree(short, ignore_errors=True)


def start_server(lab, kind, sql_files, values):
    socket, short = socket_path(lab.directory)
    values.update(LAB_SERVER_SOCKET=socket, LAB_SERVER_PORT=free_port(), LAB_ROOT_USER="root")
    if short:
        values["LAB_SOCKET_DIR"] = short
    lab.write_values(values)
    server = KINDS[kind](lab.directory, socket, values["LAB_SERVER_PORT"], lab.directory / "tls")
    server.start()
    for path in sql_files or [SAMPLE]:
        server.load(path)
    server.make_accounts(lab.directory / "secrets")
    values.update(LAB_SERVER_VERSION=server.version(), LAB_CLIENT=server.client_program,
                  LAB_SERVER_PID=server.program.pid())
    # A MariaDB of 10.x says 5.5.5- before its version, because old replicas read one digit; clients know.
    values["LAB_GREETING_VERSION"] = ("5.5.5-" if values["LAB_SERVER_VERSION"].startswith("10.") and kind == "mariadb"
                                      else "") + values["LAB_SERVER_VERSION"]


def start_provider(lab, values):
    program, url, secret = provider.start(lab.directory, cache_directory(), free_port())
    values.update(LAB_ISSUER_URL=url, LAB_PROVIDER_SECRET=secret, LAB_PROVIDER_PID=program.pid(),
                  LAB_PROVIDER_KEYS=lab.directory / "secrets" / "provider-keys.json")


def start_gateway(lab, template, values):
    port, admin = free_port(), free_port()
    values.update(LAB_HOST="127.0.0.1", LAB_PORT=port, LAB_CONNECTION="shop", LAB_ADMIN_PORT=admin,
                  LAB_ADMIN_URL=f"http://127.0.0.1:{admin}", LAB_CA=lab.directory / "tls" / "ca.pem",
                  LAB_CERTIFICATE=lab.directory / "tls" / "gateway.pem", LAB_KEY=lab.directory / "tls" / "gateway-key.pem",
                  LAB_AUDIT_DIR=lab.directory / "audit", LAB_STATE_DIR=lab.directory / "state",
                  LAB_AUDIT_PUBLIC_KEY=lab.directory / "state" / "audit.key.pub",
                  LAB_SECRETS_DIR=lab.directory / "secrets", LAB_CONFIG=lab.directory / "gateway.yaml")
    values.update({f"LAB_SPARE_PORT_{number}": free_port() for number in range(1, SPARE_PORTS + 1)})
    for name in ("audit", "state"):
        (lab.directory / name).mkdir(mode=0o700)
    values["LAB_CONFIG"].write_text(gateway.fill(template, values), encoding="utf-8")
    values["LAB_GATEWAY_LOG"] = lab.directory / "gateway.log"
    return gateway.start(lab.directory, values)


def up(lab, arguments):
    if lab.running():
        raise Failure(f"a lab is already up in {lab.directory}. End it with `tools/lab down` first, or use --dir.")
    if not arguments.without_gateway:
        gateway.binary()
    clear(lab)
    lab.directory.mkdir(parents=True, mode=0o700)
    (lab.directory / "made-by-tools-lab").touch()
    values = {"LAB_DIR": lab.directory, "LAB_SERVER_KIND": arguments.server}
    try:
        (lab.directory / "secrets").mkdir(mode=0o700)
        certificates.make(lab.directory / "tls")
        say(f"starting {arguments.server}")
        start_server(lab, arguments.server, arguments.sql, values)
        say("starting the identity provider")
        start_provider(lab, values)
        if arguments.without_gateway:
            values["LAB_CA"] = lab.directory / "tls" / "ca.pem"
        else:
            say("starting the gateway")
            values["LAB_GATEWAY_PID"] = start_gateway(lab, arguments.config or gateway.DEFAULT_TEMPLATE, values).pid()
    except BaseException:
        stop_programs(lab)
        remove_socket_directory(lab)
        lab.env_file.unlink(missing_ok=True)
        raise
    lab.write_values(values)
    lab.env_file.chmod(stat.S_IRUSR | stat.S_IWUSR)
    say(f"up: {values['LAB_SERVER_KIND']} {values['LAB_SERVER_VERSION']}" +
        ("" if arguments.without_gateway else f", gateway on {values['LAB_HOST']}:{values['LAB_PORT']}") +
        f"; where everything is: {lab.env_file}")


def stop_programs(lab):
    return [name for name in PROGRAMS if lab.program(name).stop()]


def down(lab, _):
    ended = stop_programs(lab)
    remove_socket_directory(lab)
    lab.env_file.unlink(missing_ok=True)
    say(f"down: ended {', '.join(ended)}; logs and audit stay in {lab.directory}" if ended else "nothing was up")


def status(lab, _):
    running = lab.running()
    for name in reversed(PROGRAMS):
        print(f"{name}: {'running, pid ' + str(lab.program(name).pid()) if name in running else 'not running'}")
    if lab.env_file.exists():
        print(f"values: {lab.env_file}")
    return 0 if len(running) == len(PROGRAMS) else 1


def read_claim(text):
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} isn't of the form NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def token_for(lab, account, **options):
    values = lab.values()
    return provider.request_token(values["LAB_ISSUER_URL"], values["LAB_PROVIDER_SECRET"], account, **options)


def token(lab, arguments):
    print(token_for(lab, arguments.name, ttl=arguments.ttl, algorithm=arguments.alg, claims=dict(arguments.claim),
                    token_bytes=arguments.bytes))


def sql(lab, arguments):
    values = lab.values()
    if "LAB_PORT" not in values:
        raise Failure("this lab was started without a gateway.")
    verify = "--ssl-verify-server-cert" if values["LAB_SERVER_KIND"] == "mariadb" else "--ssl-mode=VERIFY_IDENTITY"
    command = [values["LAB_CLIENT"], "--no-defaults", f"--host={values['LAB_HOST']}", f"--port={values['LAB_PORT']}",
               "--protocol=tcp", f"--user={values['LAB_CONNECTION']}", f"--ssl-ca={values['LAB_CA']}", verify,
               "--default-character-set=utf8mb4", *arguments.arguments]
    # The token stays out of the process list: both clients read the password from this variable.
    os.execvpe(command[0], command, {**os.environ, "MYSQL_PWD": token_for(lab, arguments.name)})


def rotate_keys(lab, arguments):
    values = lab.values()
    path = "rotate-keys" + ("?drop=previous" if arguments.drop_previous else "")
    provider.control(values["LAB_ISSUER_URL"], values["LAB_PROVIDER_SECRET"], path)
    say("the provider signs with new keys; the ones before are " + ("gone" if arguments.drop_previous else "still published"))


def outage(lab, arguments):
    values = lab.values()
    provider.control(values["LAB_ISSUER_URL"], values["LAB_PROVIDER_SECRET"], f"outage?on={arguments.on}")


def make_parser():
    parser = argparse.ArgumentParser(prog="tools/lab", description=DESCRIPTION,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dir", default=os.environ.get("LAB_DIR", REPOSITORY / ".lab"), metavar="DIR",
                        help="directory of the lab (default: .lab)")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    one = commands.add_parser("up", help="start a lab")
    one.set_defaults(run=up)
    one.add_argument("--server", choices=sorted(KINDS), default="mariadb")
    one.add_argument("--config", metavar="FILE", help="template of the gateway's configuration, ${LAB_...} is filled in "
                     "(default: tools/lab.d/gateway.yaml)")
    one.add_argument("--sql", metavar="FILE", action="append", default=[],
                     help="SQL to load instead of the sample shop; may be given several times")
    one.add_argument("--without-gateway", action="store_true", help="start the server and the provider only")

    one = commands.add_parser("token", help="print a token from the provider")
    one.set_defaults(run=token)
    one.add_argument("name", metavar="NAME", help="service account, such as reporter; any name gets a token")
    one.add_argument("--ttl", type=int, metavar="S", help="lifetime in seconds (default: 300)")
    one.add_argument("--claim", type=read_claim, action="append", default=[], metavar="K=V",
                     help="a further claim, or another value for one; V may be JSON")
    one.add_argument("--alg", choices=["ES256", "RS256", "EdDSA"], help="signature algorithm (default: ES256)")
    one.add_argument("--bytes", type=int, default=provider.TOKEN_BYTES, metavar="N",
                     help="length that the token has at least (default: %(default)s; 0: as short as it is)")

    one = commands.add_parser("sql", help="run the stock client through the gateway, with a fresh token")
    one.set_defaults(run=sql)
    one.add_argument("name", metavar="NAME", help="service account, such as reporter")
    one.add_argument("arguments", nargs=argparse.REMAINDER, metavar="ARGS", help="passed to the client, e.g. -e 'SELECT 1'")

    one = commands.add_parser("rotate-keys", help="let the provider sign with new keys")
    one.set_defaults(run=rotate_keys)
    one.add_argument("--drop-previous", action="store_true", help="stop publishing the keys before, too")

    one = commands.add_parser("outage", help="let the provider's discovery and keys fail, or work again")
    one.set_defaults(run=outage)
    one.add_argument("on", choices=["yes", "no"])

    commands.add_parser("status", help="say what runs; status 0 if all does").set_defaults(run=status)
    commands.add_parser("down", help="end the lab").set_defaults(run=down)
    return parser


def main():
    arguments = make_parser().parse_args()
    try:
        sys.exit(arguments.run(Lab(arguments.dir), arguments))
    except Failure as failure:
        sys.exit(f"lab: {failure}")
