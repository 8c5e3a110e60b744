"""Other proxies to measure beside the gateway, each started privately on loopback with one thread that serves."""

import secrets
import shutil

from lab.processes import free_port

from harness.targets import BUILD, Direct, Relay, Sallyport, SyncEach, Target, Unaudited

CONNECTIONS_MAX = 20_000
VERIFIED_SIGNATURES_MAX = 4096  # the gateway's default; all other targets verify each signature

HAPROXY = """global
  nbthread 1
  maxconn {connections}
defaults
  mode tcp
  timeout connect 10s
  timeout client 8h
  timeout server 8h
listen mysql
  bind 127.0.0.1:{port}
  server mysql 127.0.0.1:{server_port}
"""

ROUTER = """[DEFAULT]
logging_folder=
{plugin_folder}runtime_folder={directory}
data_folder={directory}
config_folder={directory}
max_total_connections={connections}
[logger]
level=warning
[io]
threads=1
[connection_pool]
max_idle_server_connections=0
[routing:mysql]
bind_address=127.0.0.1
bind_port={port}
destinations=127.0.0.1:{server_port}
routing_strategy=first-available
protocol=classic
max_connections={connections}
connect_timeout=30
client_connect_timeout=60
server_ssl_mode=DISABLED
{client_side}
"""

PROXYSQL = """datadir="{directory}"
admin_variables = {{ admin_credentials="bench:{secret}"; mysql_ifaces="127.0.0.1:{admin_port}";
                    pgsql_ifaces="127.0.0.1:{pgsql_admin_port}" }}
mysql_variables = {{ threads=1; max_connections={connections}; interfaces="127.0.0.1:{port}"; default_schema="shop";
                    server_version="{version}"; monitor_enabled=false; have_ssl={have_ssl} }}
pgsql_variables = {{ interfaces="127.0.0.1:{pgsql_port}"; monitor_enabled=false }}
mysql_servers = ( {{ address="127.0.0.1"; port={server_port}; hostgroup=0; max_connections={connections} }} )
mysql_users = ( {{ username="{user}"; password="{password}"; default_hostgroup=0; default_schema="shop"; active=1;
                  max_connections={connections} }} )
"""


class HaProxy(Target):
    """In TCP mode; it can't end the TLS that MySQL starts within its own protocol."""

    optional = True

    def unavailable(self):
        return None if shutil.which("haproxy") else "haproxy isn't installed (tools/install-deps bench)"

    def start(self):
        self.make_directory()
        self.port = free_port()
        connections = min(CONNECTIONS_MAX, (self.laboratory.open_files - 60) // 2)  # it insists on a limit for them all
        text = HAPROXY.format(connections=connections, port=self.port, server_port=self.laboratory.server.port)
        self.run_listening(["haproxy", "-db", "-f", self.write("haproxy.cfg", text)])


class Router(Target):
    """MySQL Router's classic protocol, without sharing of connections, plain to the server."""

    optional = True

    def unavailable(self):
        return None if self.laboratory.router() else "it isn't unpacked (tools/install-deps bench)"

    def start(self):
        self.make_directory()
        self.port = free_port()
        values = self.laboratory.values
        program = self.laboratory.router()
        plugins = program.parent.parent / "root" / "usr" / "lib" / "mysqlrouter" / "plugin"
        client_side = "client_ssl_mode=DISABLED"
        if self.tls:
            client_side = ("client_ssl_mode=REQUIRED\n"
                           f"client_ssl_cert={values['LAB_CERTIFICATE']}\nclient_ssl_key={values['LAB_KEY']}")
        text = ROUTER.format(directory=self.directory, connections=CONNECTIONS_MAX, port=self.port,
                             plugin_folder=f"plugin_folder={plugins}\n" if plugins.is_dir() else "",
                             server_port=self.laboratory.server.port, client_side=client_side)
        self.run_listening([program, "-c", self.write("router.conf", text)])


class ProxySql(Target):
    """One thread for sessions, no query log; it shares its server connections by multiplexing."""

    optional = True

    def unavailable(self):
        return None if shutil.which("proxysql") else "proxysql isn't on the PATH"

    def start(self):
        self.make_directory()
        self.port = free_port()
        values = self.laboratory.values
        for name, source in (("ca", "LAB_CA"), ("cert", "LAB_CERTIFICATE"), ("key", "LAB_KEY")):
            shutil.copy(values[source], self.directory / f"proxysql-{name}.pem")
        text = PROXYSQL.format(directory=self.directory, connections=CONNECTIONS_MAX, port=self.port,
                               server_port=self.laboratory.server.port, admin_port=free_port(), pgsql_port=free_port(),
                               pgsql_admin_port=free_port(), secret=secrets.token_urlsafe(12), user=self.user,
                               password=self.password(), version=values["LAB_SERVER_VERSION"].split("-")[0],
                               have_ssl="true" if self.tls else "false")
        self.run_listening(["proxysql", "-f", "-M", "-c", self.write("proxysql.cnf", text), "-D", self.directory])


def make_targets(laboratory, other_relay=None):
    """All that there is, by name, in the order in which they take turns."""
    relay = BUILD / "relay"
    targets = [Direct("direct", laboratory, "plain"), Direct("direct-tls", laboratory, "tls"),
               Relay("relay", laboratory, "plain", binary=relay), Relay("relay-tls", laboratory, "tls", binary=relay),
               Relay("relay-unix", laboratory, "unix", binary=relay)]
    if other_relay is not None:
        targets += [Relay("other-relay", laboratory, "plain", binary=other_relay),
                    Relay("other-relay-tls", laboratory, "tls", binary=other_relay)]
    targets += [HaProxy("haproxy", laboratory, "plain"),
                Router("router", laboratory, "plain"), Router("router-tls", laboratory, "tls"),
                ProxySql("proxysql", laboratory, "plain"), ProxySql("proxysql-tls", laboratory, "tls"),
                Sallyport("sallyport", laboratory), Sallyport("sallyport-unix", laboratory, "unix"),
                Sallyport("sallyport-pooled", laboratory, pool=f"mode: pooled, connections_max: {CONNECTIONS_MAX}"),
                Sallyport("sallyport-known-tokens", laboratory, verified_signatures_max=VERIFIED_SIGNATURES_MAX,
                          pool=f"mode: pooled, connections_max: {CONNECTIONS_MAX}"),
                Sallyport("sallyport-two-workers", laboratory, worker_threads=2),
                Unaudited("sallyport-unaudited", laboratory),
                SyncEach("sync-each", laboratory), Sallyport("sallyport-strict", laboratory, durability="strict"),
                Sallyport("sallyport-socket", laboratory, server='socket: "{LAB_SERVER_SOCKET}"')]
    return {one.name: one for one in targets}
