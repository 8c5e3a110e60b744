"""A relay for clients that can give no token: it takes their ordinary login, logs on to the gateway with a token and TLS,
and from then on passes bytes both ways, unchanged but for the gateway's refusals of what is no statement, which get the words that
the tests expect of the server.

The test program of the regression suite logs in as root without a password, and as users that tests make. The relay knows
the users and passwords that the tests' texts name and asks the gateway for the grant whose database login has them. A login
of none of these, or one that the gateway could not open, goes to the server itself: mostly it is one that a test expects
to be refused. Those are counted.

Protocol facts: "Client/Server Protocol" of MariaDB's and MySQL's documentation.
"""

import asyncio
import hashlib
import json
import re
import signal
import ssl
import struct
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path

CLIENT_CONNECT_WITH_DB = 1 << 3
CLIENT_SSL = 1 << 11
CLIENT_PLUGIN_AUTH = 1 << 19
CLIENT_CONNECT_ATTRS = 1 << 20
CLIENT_PLUGIN_AUTH_LENENC = 1 << 21
NATIVE = b"mysql_native_password"
PLACEHOLDER = b"instead of an empty password"
FIXED_BYTES = 32  # of a login: capabilities, packet size, character set, filler, MariaDB's further capabilities
PIECE_BYTES = 1 << 18
LOGIN_SECONDS = 60
SYNTAX_ERROR = (b"You have an error in your SQL syntax; check the manual that corresponds to your MariaDB server version for the right "
                b"syntax to use")
MARK = b"Sallyport: You have an error in your SQL syntax"
MESSAGE_BYTES_MAX = 400
NOT_UNDERSTOOD = re.compile(b"(?P<header>[^\\xff]{3}.)\\xff\\x28\\x04#42000" + MARK + b", or use a form that the gateway does not know, near "
                            b"'(?P<near>.{0,80}?)' at line (?P<line>[0-9]+)[.] Nothing was executed[.] \\[statement_not_understood\\]", re.DOTALL)


class Ended(Exception):
    """A peer closed its connection during the login."""


@dataclass
class Login:
    capabilities: int
    fixed: bytes
    user: bytes
    answer: bytes
    schema: bytes | None
    attributes: bytes


@dataclass
class Counts:
    through: int = 0
    refused_beside: int = 0
    beside: list = field(default_factory=list)


def lenenc(number):
    if number < 0xFB:
        return bytes([number])
    return b"\xfc" + struct.pack("<H", number) if number <= 0xFFFF else b"\xfd" + struct.pack("<I", number)[:3]


def read_lenenc(data, at):
    first = data[at]
    if first < 0xFB:
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + size], "little"), at + 1 + size


def packet(sequence, payload):
    return struct.pack("<I", len(payload))[:3] + bytes([sequence]) + payload


def native_answer(password, nonce):
    """What mysql_native_password answers to a nonce."""
    if not password:
        return b""
    once = hashlib.sha1(password).digest()
    mixed = hashlib.sha1(nonce + hashlib.sha1(once).digest()).digest()
    return bytes(a ^ b for a, b in zip(once, mixed))


def plain_greeting(payload):
    """The gateway's greeting as a client without TLS and token wants it, and its nonce."""
    version_end = payload.index(b"\0", 1)
    at = version_end + 1 + 4
    low_at = at + 9
    nonce_at = low_at + 18
    nonce = payload[at:at + 8] + payload[nonce_at:nonce_at + 12]
    capabilities = struct.unpack_from("<H", payload, low_at)[0] & ~CLIENT_SSL
    return payload[:low_at] + struct.pack("<H", capabilities) + payload[low_at + 2:nonce_at + 13] + NATIVE + b"\0", nonce


def parse_login(payload):
    capabilities = struct.unpack_from("<I", payload)[0]
    user, rest = payload[FIXED_BYTES:].split(b"\0", 1)
    size, at = read_lenenc(rest, 0) if capabilities & CLIENT_PLUGIN_AUTH_LENENC else (rest[0], 1)
    answer, rest = rest[at:at + size], rest[at + size:]
    schema = None
    if capabilities & CLIENT_CONNECT_WITH_DB:
        schema, rest = rest.split(b"\0", 1)
    if capabilities & CLIENT_PLUGIN_AUTH:
        rest = rest.split(b"\0", 1)[1]
    return Login(capabilities, payload[4:FIXED_BYTES], user, answer, schema, rest)


def make_login(login, capabilities, user, answer, plugin):
    capabilities |= CLIENT_PLUGIN_AUTH | CLIENT_PLUGIN_AUTH_LENENC
    schema = b"" if login.schema is None else login.schema + b"\0"
    return (struct.pack("<I", capabilities) + login.fixed + user + b"\0" + lenenc(len(answer)) + answer + schema + plugin +
            b"\0" + login.attributes)


async def read_packet(reader):
    try:
        header = await reader.readexactly(4)
        return header[3], await reader.readexactly(int.from_bytes(header[:3], "little"))
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError) as error:
        raise Ended(str(error)) from None


def as_the_server_says(piece):
    """The gateway's refusals of what is no statement, in the words of MariaDB."""
    def changed(match):
        message = b"\xff\x28\x04#42000" + SYNTAX_ERROR + b" near '" + match["near"] + b"' at line " + match["line"]
        return packet(match["header"][3], message)
    return NOT_UNDERSTOOD.sub(changed, piece)


async def pass_on(reader, writer, change=lambda piece: piece):
    try:
        while piece := await reader.read(PIECE_BYTES):
            while MARK in piece[-MESSAGE_BYTES_MAX:] and not piece.endswith(b"]"):
                more = await reader.read(1)
                if not more:
                    break
                piece += more
            writer.write(change(piece))
            await writer.drain()
    except (ConnectionError, ssl.SSLError, OSError):
        pass
    finally:
        writer.close()


async def pass_both_ways(client, server, change):
    await asyncio.gather(pass_on(client[0], server[1]), pass_on(server[0], client[1], change))


class Listening:
    """Serves clients of a Unix socket and of a TCP port."""

    change = staticmethod(lambda piece: piece)  # of what goes to the client

    def __init__(self, socket_path):
        self.socket_path, self.port = socket_path, 0

    async def listen(self):
        await asyncio.start_unix_server(lambda *client: self.serve(client, "by_socket"), path=self.socket_path)
        server = await asyncio.start_server(lambda *client: self.serve(client, "by_tcp"), "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]

    async def serve(self, client, way):
        upstream = None
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                upstream = await self.log_in(client, way)
            await pass_both_ways(client, upstream, self.change)
        except (Ended, OSError, ssl.SSLError, TimeoutError, ValueError, IndexError, struct.error):
            pass
        finally:
            for one in (client, upstream):
                if one:
                    one[1].close()


class Door(Listening):
    """Stands between the gateway and the server: the gateway is given no empty passwords, and most of the suite's users
    have one. A login with PLACEHOLDER as its password becomes one without; all else passes unchanged."""

    def __init__(self, socket_path, server_socket, server_port):
        super().__init__(socket_path)
        self.server_socket, self.server_port = server_socket, server_port

    async def log_in(self, gateway, way):
        server = await (asyncio.open_unix_connection(self.server_socket) if way == "by_socket" else
                        asyncio.open_connection("127.0.0.1", self.server_port))
        try:
            sequence, greeting = await read_packet(server[0])
            gateway[1].write(packet(sequence, greeting))
            if greeting[:1] != b"\xff":
                _, nonce = plain_greeting(greeting)
                sequence, payload = await read_packet(gateway[0])
                answer = native_answer(PLACEHOLDER, nonce)
                server[1].write(packet(sequence, payload.replace(lenenc(len(answer)) + answer, b"\0", 1)))
        except BaseException:
            server[1].close()
            raise
        return server


class Relay(Listening):
    """Listens on a Unix socket and on a TCP port. `grants` are (user, password, role that the gateway is asked for);
    `server_socket` is the server's own."""

    change = staticmethod(as_the_server_says)

    def __init__(self, socket_path, gateway_port, server_socket, ca, token, grants):
        super().__init__(socket_path)
        self.gateway_port, self.server_socket, self.token = gateway_port, server_socket, token
        self.grants, self.counts = grants, Counts()
        self.tls = ssl.create_default_context(cafile=ca)

    async def log_in(self, client, way):
        gateway = await asyncio.open_connection("127.0.0.1", self.gateway_port)
        try:
            sequence, greeting = await read_packet(gateway[0])
            if greeting[:1] == b"\xff":
                client[1].write(packet(sequence, greeting))
                raise Ended("refused before the greeting")
            greeting, nonce = plain_greeting(greeting)
            client[1].write(packet(0, greeting))
            _, payload = await read_packet(client[0])
            login = parse_login(payload)
            role = self.role_for(login, nonce)
            if role is not None:
                answer = await self.log_in_to_gateway(gateway, login, f"{way}.{role}".encode())
                if answer[:1] == b"\x00":
                    self.counts.through += 1
                    client[1].write(packet(2, answer))
                    return gateway
        except BaseException:
            gateway[1].close()
            raise
        gateway[1].close()
        return await self.log_in_beside(client, login)

    def role_for(self, login, nonce):
        for user, password, role in self.grants:
            if user.encode() == login.user and native_answer(password.encode(), nonce) == login.answer:
                return role
        return None

    async def log_in_to_gateway(self, gateway, login, user):
        """Returns the gateway's last word: an OK or an ERR packet."""
        reader, writer = gateway
        capabilities = login.capabilities | CLIENT_SSL
        writer.write(packet(1, struct.pack("<I", capabilities) + login.fixed))
        await writer.start_tls(self.tls, server_hostname="127.0.0.1")
        answer = self.token.encode() + b"\0"
        writer.write(packet(2, make_login(login, capabilities, user, answer, b"mysql_clear_password")))
        return (await read_packet(reader))[1]

    async def log_in_beside(self, client, login):
        """Logs in to the server itself. A plugin of another name makes it ask the client anew, with a nonce of its own."""
        server = await asyncio.open_unix_connection(self.server_socket)
        sequence, greeting = await read_packet(server[0])
        if greeting[:1] == b"\xff":
            client[1].write(packet(2, greeting))
            raise Ended("refused before the greeting")
        server[1].write(packet(1, make_login(login, login.capabilities, login.user, b"", b"none_of_these")))
        while True:
            sequence, answer = await read_packet(server[0])
            client[1].write(packet(sequence, answer))
            if answer[:1] == b"\x00":
                self.counts.beside.append(login.user.decode(errors="replace"))
                return server
            if answer[:1] == b"\xff":
                self.counts.refused_beside += 1
                await client[1].drain()
                raise Ended("refused by the server")
            sequence, answer = await read_packet(client[0])
            server[1].write(packet(sequence, answer))


async def run(directory):
    """Both in one process: first the door, whose port the gateway is told, and the relay once there is a relay.json."""
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    door = Door(**json.loads((directory / "door.json").read_text()))
    await door.listen()
    (directory / "door.port").write_text(str(door.port))
    while not (directory / "relay.json").exists():
        await asyncio.sleep(0.05)
    relay = Relay(**json.loads((directory / "relay.json").read_text()))
    await relay.listen()
    (directory / "relay.port").write_text(str(relay.port))
    await ended.wait()
    (directory / "counts.json").write_text(json.dumps(asdict(relay.counts)))


if __name__ == "__main__":
    asyncio.run(run(Path(sys.argv[1])))
