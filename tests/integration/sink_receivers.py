"""Receivers of the audit log's sinks, real ones, each a process that can be killed and started again: rsyslog, a Kafka
broker, and an HTTP server, which is this file run as a program."""

import contextlib
import http.server
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

from laboratory import REPOSITORY, wait_until

CACHE = Path(os.environ.get("SALLYPORT_CACHE", REPOSITORY / ".cache"))
TOKEN = "a-token-that-no-log-has"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def listens(port):
    with contextlib.suppress(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    return False


class Receiver:
    """`messages()`: what it has, as (index, message), with what came twice."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True)
        self.port = free_port()
        self.process = None

    def start(self):
        self.launch()
        self.wait_until_ready()

    def launch(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.directory)

    def wait_until_ready(self):
        def ready():
            assert self.process.poll() is None, (self.directory / "log").read_text()[-2000:]
            return listens(self.port)
        wait_until(ready, 60, f"a receiver, {self.directory.name}")

    def kill(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(timeout=20)

    def command(self):
        raise NotImplementedError

    def messages(self):
        raise NotImplementedError


class File:
    """No process: it is renamed amid the stream, as by logrotate."""

    def __init__(self, directory):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True)
        self.path = self.directory / "records.jsonl"
        self.renamed = 0

    def launch(self):
        pass

    def wait_until_ready(self):
        pass

    def kill(self):
        with contextlib.suppress(FileNotFoundError):
            self.renamed += 1
            self.path.rename(self.directory / f"records.{self.renamed}")

    def messages(self):
        found = []
        for path in self.directory.glob("records.*"):
            with open(path, "rb") as file:
                found += [with_index(line[:-1]) for line in file]
        return found


def with_index(message):
    document = json.loads(message)
    return document["index"] if "index" in document else document["metadata"]["sequence"], message


class Rsyslog(Receiver):
    """Plain TCP, or TLS with the lab's certificate."""

    def __init__(self, directory, certificates=None):
        super().__init__(directory)
        self.certificates = certificates
        self.output = self.directory / "received"
        tls, mode = "", ""
        if certificates:
            tls = (f'global(defaultNetstreamDriver="ossl" defaultNetstreamDriverCAFile="{certificates["ca"]}"'
                   f' defaultNetstreamDriverCertFile="{certificates["certificate"]}" defaultNetstreamDriverKeyFile="{certificates["key"]}")\n')
            mode = ' streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode="anon"'
        (self.directory / "rsyslog.conf").write_text(
            f'global(workDirectory="{self.directory}" maxMessageSize="64k")\n{tls}'
            f'module(load="imtcp"{mode})\n'
            f'input(type="imtcp" address="127.0.0.1" port="{self.port}")\n'
            'template(name="raw" type="string" string="%rawmsg%\\n")\n'
            f'action(type="omfile" file="{self.output}" template="raw")\n')

    def command(self):
        return ["rsyslogd", "-n", "-f", str(self.directory / "rsyslog.conf"), "-i", str(self.directory / "pid")]

    def messages(self):
        """A kill may tear the last line that it wrote: what is no message is left out."""
        header = re.compile(rb'<[0-9]+>1 [^ ]+ [^ ]+ sallyport - [a-z_]+ \[sallyport@32473 index="([0-9]+)"(?: session="[^"]*")?\] (.*)\n')
        found = []
        for line in self.output.read_bytes().splitlines(keepends=True) if self.output.exists() else []:
            match = header.fullmatch(line)
            if match:
                assert with_index(match[2])[0] == int(match[1])
                found.append((int(match[1]), match[2]))
        return found


class HttpServer(Receiver):
    """HTTPS, with a bearer token."""

    def __init__(self, directory, certificates):
        super().__init__(directory)
        self.certificates = certificates
        self.output = self.directory / "received"

    def command(self):
        return [sys.executable, "-B", __file__, str(self.port), str(self.output), self.certificates["certificate"], self.certificates["key"]]

    def messages(self):
        found = []
        for line in self.output.read_bytes().splitlines() if self.output.exists() else []:
            with contextlib.suppress(ValueError):  # torn by a kill
                found.append(with_index(line))
        return found


class Kafka(Receiver):
    """A broker of Apache Kafka, in KRaft mode, with three partitions. With `certificates` it has a second listener, at
    `secure_port`, which wants a certificate of that authority and a login as USER with PASSWORD."""

    topic = "sallyport.audit"
    USER, PASSWORD = "sallyport", "a-password-that-no-log-has"
    MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")

    def __init__(self, directory, certificates=None):
        super().__init__(directory)
        controller = free_port()
        listeners = [f"PLAINTEXT://127.0.0.1:{self.port}"]
        more, scram = [], []
        if certificates:
            self.secure_port = free_port()
            listeners.append(f"SASL_SSL://127.0.0.1:{self.secure_port}")
            more = self.secure_settings(certificates)
            scram = [word for name in self.MECHANISMS[1:] for word in ("--add-scram", f"{name}=[name={self.USER},password={self.PASSWORD}]")]
        (self.directory / "server.properties").write_text("\n".join((
            "process.roles=broker,controller", "node.id=1", f"controller.quorum.voters=1@127.0.0.1:{controller}",
            f"listeners={','.join(listeners)},CONTROLLER://127.0.0.1:{controller}",
            f"advertised.listeners={','.join(listeners)}", "controller.listener.names=CONTROLLER",
            f"log.dirs={self.directory / 'data'}", "offsets.topic.replication.factor=1",
            "transaction.state.log.replication.factor=1", "num.partitions=3", "auto.create.topics.enable=true", *more, "")))
        subprocess.run([*self.java(), "kafka.tools.StorageTool", "format", "-t", "4L6g3nShT-eMCtK--X86sw", "-c", "server.properties", *scram],
                       cwd=self.directory, check=True, capture_output=True)

    def secure_settings(self, certificates):
        pair = self.directory / "broker.pem"
        pair.write_text("".join(Path(certificates[name]).read_text() for name in ("key", "certificate")))
        login = "org.apache.kafka.common.security"
        return ["listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL", "ssl.keystore.type=PEM", f"ssl.keystore.location={pair}", "ssl.truststore.type=PEM", f"ssl.truststore.location={certificates['ca']}",
                "listener.name.sasl_ssl.ssl.client.auth=required", f"sasl.enabled.mechanisms={','.join(self.MECHANISMS)}",
                f'listener.name.sasl_ssl.plain.sasl.jaas.config={login}.plain.PlainLoginModule required user_{self.USER}="{self.PASSWORD}";',
                *(f"listener.name.sasl_ssl.{name.lower()}.sasl.jaas.config={login}.scram.ScramLoginModule required;" for name in self.MECHANISMS[1:])]

    @staticmethod
    def java():
        return ["java", "-Xmx256m", "-cp", f"{CACHE}/kafka/lib/*"]

    def command(self):
        return [*self.java(), "kafka.Kafka", "server.properties"]

    def read(self):
        """All there is, by a client of another origin than the gateway's."""
        from kafka import KafkaConsumer
        consumer = KafkaConsumer(self.topic, bootstrap_servers=f"127.0.0.1:{self.port}", auto_offset_reset="earliest",
                                 enable_auto_commit=False, consumer_timeout_ms=2000)
        try:
            return list(consumer)
        finally:
            consumer.close()

    def messages(self):
        return [with_index(message.value) for message in self.read()]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    output = None

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        good = self.headers["Authorization"] == f"Bearer {TOKEN}" and self.headers["Content-Type"] == "application/x-ndjson"
        if good:
            self.output.write(body)
            self.output.flush()
            os.fsync(self.output.fileno())
        self.send_response(200 if good else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def serve(port, output, certificate, key):
    Handler.output = open(output, "ab")
    Handler.output.write(b"\n")  # behind what a kill may have torn
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(*sys.argv[1:])
