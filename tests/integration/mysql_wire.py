"""A small MySQL client of the tests' own, which can also misbehave: it sends what it is told to, in whatever order.

Protocol facts: MySQL's "Client/Server Protocol" in its source documentation, MariaDB's "Client/Server Protocol" pages.
"""

import socket
import ssl
import struct
from dataclasses import dataclass

CLIENT_LONG_PASSWORD = 1 << 0
CLIENT_FOUND_ROWS = 1 << 1
CLIENT_CONNECT_WITH_DB = 1 << 3
CLIENT_COMPRESS = 1 << 5
CLIENT_LOCAL_FILES = 1 << 7
CLIENT_IGNORE_SPACE = 1 << 8
CLIENT_PROTOCOL_41 = 1 << 9
CLIENT_SSL = 1 << 11
CLIENT_TRANSACTIONS = 1 << 13
CLIENT_SECURE_CONNECTION = 1 << 15
CLIENT_MULTI_STATEMENTS = 1 << 16
CLIENT_MULTI_RESULTS = 1 << 17
CLIENT_PS_MULTI_RESULTS = 1 << 18
CLIENT_PLUGIN_AUTH = 1 << 19
CLIENT_CONNECT_ATTRS = 1 << 20
CLIENT_PLUGIN_AUTH_LENENC = 1 << 21
CLIENT_SESSION_TRACK = 1 << 23
CLIENT_DEPRECATE_EOF = 1 << 24
CLIENT_OPTIONAL_RESULTSET_METADATA = 1 << 25
CLIENT_ZSTD = 1 << 26
CLIENT_QUERY_ATTRIBUTES = 1 << 27
MARIADB_BULK_OPERATIONS, MARIADB_CACHE_METADATA, MARIADB_BULK_UNIT_RESULTS = 1 << 34, 1 << 36, 1 << 37
USUAL = (CLIENT_LONG_PASSWORD | CLIENT_PROTOCOL_41 | CLIENT_TRANSACTIONS | CLIENT_SECURE_CONNECTION | CLIENT_MULTI_RESULTS |
         CLIENT_PLUGIN_AUTH | CLIENT_PLUGIN_AUTH_LENENC)

QUIT, INIT_DB, QUERY, FIELD_LIST, STATISTICS, PING, CHANGE_USER = 1, 2, 3, 4, 9, 14, 17
STMT_PREPARE, STMT_EXECUTE, STMT_SEND_LONG_DATA, STMT_CLOSE, STMT_RESET, SET_OPTION, STMT_FETCH, RESET = 22, 23, 24, 25, 26, 27, 28, 31
STMT_BULK_EXECUTE = 0xFA


class Closed(Exception):
    """The other side ended the connection."""


class ServerError(Exception):
    """An ERR packet."""

    def __init__(self, code, state, message):
        super().__init__(f"{code} ({state}): {message}")
        self.code, self.state, self.message = code, state, message


@dataclass
class Greeting:
    version: str
    connection_id: int
    capabilities: int
    plugin: str


def lenenc(data):
    size = len(data)
    if size < 0xFB:
        return bytes([size]) + data
    if size <= 0xFFFF:
        return b"\xfc" + struct.pack("<H", size) + data
    if size <= 0xFFFFFF:
        return b"\xfd" + struct.pack("<I", size)[:3] + data
    return b"\xfe" + struct.pack("<Q", size) + data


def read_lenenc_number(data, at):
    first = data[at]
    if first < 0xFB:
        return first, at + 1
    size = {0xFC: 2, 0xFD: 3, 0xFE: 8}[first]
    return int.from_bytes(data[at + 1:at + 1 + size], "little"), at + 1 + size


def parse_error(payload):
    code = struct.unpack_from("<H", payload, 1)[0]
    if payload[3:4] == b"#":
        return ServerError(code, payload[4:9].decode(), payload[9:].decode(errors="replace"))
    return ServerError(code, "", payload[3:].decode(errors="replace"))


class Client:
    """One connection. `sequence` is the id of the next packet to send; tests may set it."""

    def __init__(self, port=None, host="127.0.0.1", timeout=15, source=None, path=None):
        """To a port, from an address of this machine if one is named; or to a Unix socket."""
        if path is None:
            self.socket = socket.create_connection((host, port), timeout=timeout, source_address=(source, 0) if source else None)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(path))
        self.received = b""
        self.sequence = 0
        self.capabilities = USUAL
        self.definitions_follow, self.flags = True, 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()

    # Bytes and packets

    def send_raw(self, data):
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError) as error:
            raise Closed(str(error)) from None

    def send(self, payload):
        for start in range(0, len(payload) + 1, 0xFFFFFF):
            piece = payload[start:start + 0xFFFFFF]
            self.send_raw(struct.pack("<I", len(piece))[:3] + bytes([self.sequence]) + piece)
            self.sequence = (self.sequence + 1) & 0xFF

    def receive_raw(self, size):
        while len(self.received) < size:
            try:
                piece = self.socket.recv(1 << 16)
            except (ConnectionResetError, ssl.SSLError) as error:
                if isinstance(error, TimeoutError):
                    raise
                raise Closed(str(error)) from None
            if not piece:
                raise Closed("end of stream")
            self.received += piece
        data, self.received = self.received[:size], self.received[size:]
        return data

    def receive(self):
        payload = b""
        while True:
            header = self.receive_raw(4)
            size = int.from_bytes(header[:3], "little")
            self.sequence = (header[3] + 1) & 0xFF
            payload += self.receive_raw(size)
            if size < 0xFFFFFF:
                return payload

    def receive_ok(self):
        """The next packet; an ERR is raised."""
        payload = self.receive()
        if payload[:1] == b"\xff":
            raise parse_error(payload)
        return payload

    def wait_for_end(self):
        """Reads until the other side closes; returns the ERR packet that came on the way, if any."""
        error = None
        try:
            while True:
                payload = self.receive()
                if payload[:1] == b"\xff":
                    error = parse_error(payload)
        except Closed:
            return error

    # The login

    def read_greeting(self):
        payload = self.receive_ok()
        version_end = payload.index(b"\0", 1)
        at = version_end + 1
        connection_id = struct.unpack_from("<I", payload, at)[0]
        at += 4 + 8 + 1
        low = struct.unpack_from("<H", payload, at)[0]
        high = struct.unpack_from("<H", payload, at + 5)[0]
        scramble_size = payload[at + 7]
        extended = struct.unpack_from("<I", payload, at + 14)[0]
        plugin_at = at + 18 + max(13, scramble_size - 8)
        self.greeting = Greeting(payload[1:version_end].decode(), connection_id, low | high << 16 | extended << 32,
                                 payload[plugin_at:].split(b"\0")[0].decode())
        return self.greeting

    def capability_header(self, capabilities, packet_max=64 << 20, charset=45):
        return struct.pack("<IIB19xI", capabilities & 0xFFFFFFFF, packet_max, charset, capabilities >> 32)

    def start_tls(self, ca=None, capabilities=USUAL, extra_plaintext=b"", resumed=None):
        """`resumed` is a client's TLS socket, whose session is offered to go on with."""
        payload = self.capability_header(capabilities | CLIENT_SSL)
        self.send_raw(struct.pack("<I", len(payload))[:3] + bytes([self.sequence]) + payload + extra_plaintext)
        self.sequence += 1
        context = ssl.create_default_context(cafile=ca) if resumed is None else resumed.context
        if ca is None and resumed is None:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        try:
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1",
                                              session=None if resumed is None else resumed.session)
        except (ssl.SSLError, ConnectionResetError, BrokenPipeError) as error:
            raise Closed(str(error)) from None

    def handshake_response(self, user, authentication=b"", schema=None, plugin="caching_sha2_password", capabilities=USUAL):
        if schema is not None:
            capabilities |= CLIENT_CONNECT_WITH_DB
        return (self.capability_header(capabilities) + user.encode() + b"\0" + lenenc(authentication) +
                (schema.encode() + b"\0" if schema is not None else b"") + plugin.encode() + b"\0")

    def login(self, user, password, ca=None, schema=None, capabilities=USUAL, resumed=None):
        """The usual login: TLS, then full authentication. Raises what the other side answers."""
        self.capabilities = capabilities
        self.read_greeting()
        self.start_tls(ca, capabilities, resumed=resumed)
        self.send(self.handshake_response(user, b"\x01" * 32, schema, capabilities=capabilities | CLIENT_SSL))
        return self.finish_authentication(password)

    def finish_authentication(self, password):
        if isinstance(password, str):
            password = password.encode()
        while True:
            payload = self.receive_ok()
            if payload[:1] == b"\x00":
                return payload
            if payload == b"\x01\x04":
                self.send(password + b"\0")
            elif payload[:1] == b"\xfe":
                plugin = payload[1:].split(b"\0")[0]
                if plugin == b"authentication_openid_connect_client":
                    self.send(b"\x01" + lenenc(password))
                elif plugin == b"caching_sha2_password":
                    self.send(b"\x01" * 32)
                else:
                    self.send(password + b"\0")
            else:
                raise AssertionError(f"an unexpected answer to a login: {payload[:20]!r}")

    def change_user(self, user, password, schema=""):
        """As libmysqlclient has it: an empty answer, then what the switch asks for."""
        self.command(CHANGE_USER, user.encode() + b"\0\0" + schema.encode() + b"\0" + struct.pack("<H", 45) + b"caching_sha2_password\0")
        return self.finish_authentication(password)

    # Commands

    def command(self, opcode, body=b""):
        self.sequence = 0
        self.send(bytes([opcode]) + body)

    def query(self, sql):
        """Runs a statement; returns the rows of its first result as lists of bytes or None, or [] for an OK."""
        self.command(QUERY, sql.encode())
        return self.read_result()

    def read_result(self):
        payload = self.receive_ok()
        if payload[:1] == b"\x00":
            return []
        count = self.read_header(payload)
        return [self.read_row(row, count) for row in self.read_rows()[0]]

    def read_header(self, payload):
        """What begins a result, and the definitions behind it where they are not left out; the number of columns."""
        count, at = read_lenenc_number(payload, 0)
        told = self.capabilities & (CLIENT_OPTIONAL_RESULTSET_METADATA | MARIADB_CACHE_METADATA)
        self.definitions_follow = not told or payload[at] == 1
        assert len(payload) == at + bool(told), payload
        self.flags = self.read_definitions(count if self.definitions_follow else 0)
        return count

    def read_definitions(self, count):
        """Column definitions, and the EOF behind them where there is one; its flags."""
        for _ in range(count):
            self.receive_ok()
        if not self.capabilities & CLIENT_DEPRECATE_EOF:
            payload = self.receive_ok()
            if not self.ends(payload):
                raise AssertionError("no EOF after the columns")
            return struct.unpack_from("<H", payload, 3)[0]
        return 0

    def read_rows(self):
        """Rows as they are, up to their end, and the flags of that."""
        rows = []
        while True:
            payload = self.receive_ok()
            if self.ends(payload):
                at = 3
                if self.capabilities & CLIENT_DEPRECATE_EOF:
                    _, at = read_lenenc_number(payload, 1)
                    _, at = read_lenenc_number(payload, at)
                return rows, struct.unpack_from("<H", payload, at)[0]
            rows.append(payload)

    def ends(self, payload):
        return payload[:1] == b"\xfe" and len(payload) < (0xFFFFFF if self.capabilities & CLIENT_DEPRECATE_EOF else 9)

    def load(self, sql, parts):
        """LOAD DATA LOCAL: the file that was asked for, and the number of rows."""
        self.command(QUERY, sql.encode())
        payload = self.receive_ok()
        assert payload[:1] == b"\xfb", f"no request for a file: {payload[:40]!r}"
        for part in [*parts, b""]:
            self.send(part)
        return payload[1:].decode(), read_lenenc_number(self.receive_ok(), 1)[0]

    # Prepared statements

    def prepare(self, sql):
        """Its id, the number of its parameters and of its columns."""
        self.command(STMT_PREPARE, sql if isinstance(sql, bytes) else sql.encode())
        payload = self.receive_ok()
        statement, columns, parameters = struct.unpack_from("<IHH", payload, 1)
        self.definitions_follow = not self.capabilities & CLIENT_OPTIONAL_RESULTSET_METADATA or payload[12] == 1
        for count in (parameters, columns):
            if count:
                self.read_definitions(count if self.definitions_follow else 0)
        return statement, parameters, columns

    def send_execute(self, statement, values=(), flags=0, long_data=()):
        """Values are texts, None for NULL; those of `long_data` were sent before."""
        body = struct.pack("<IBI", statement, flags, 1)
        if values:
            nulls = sum(1 << index for index, value in enumerate(values) if value is None and index not in long_data)
            body += nulls.to_bytes((len(values) + 7) // 8, "little") + b"\1" + struct.pack("<H", 253) * len(values)
            body += b"".join(lenenc(value) for value in values if value is not None)
        self.command(STMT_EXECUTE, body)

    def bulk_execute(self, statement, rows, flags=128, types=None):
        """Rows of texts, None for NULL, "default" and "ignore" for the indicators; the answer's first packet."""
        body = struct.pack("<IH", statement, flags)
        if flags & 128:
            body += b"".join(struct.pack("<H", one) for one in (types or [253] * len(rows[0])))
        indicators = {None: b"\1", "default": b"\2", "ignore": b"\3"}
        for row in rows:
            body += b"".join(indicators[value] if value in indicators else b"\0" + lenenc(value) for value in row)
        self.command(STMT_BULK_EXECUTE, body)
        return self.receive_ok()

    def execute(self, statement, values=(), **options):
        """The rows of its result, as they are."""
        self.send_execute(statement, values, **options)
        payload = self.receive_ok()
        if payload[:1] == b"\x00":
            return []
        self.read_header(payload)
        return self.read_rows()[0]

    def execute_with_cursor(self, statement):
        """The flags that say whether there is one."""
        self.send_execute(statement, flags=1)
        self.read_header(self.receive_ok())
        flags = self.flags
        if self.capabilities & CLIENT_DEPRECATE_EOF:
            rows, flags = self.read_rows()
            assert not rows
        return flags

    def execute_several(self, statement, values):
        """Each result's rows and the flags at its end."""
        self.send_execute(statement, values)
        results = []
        while True:
            payload = self.receive_ok()
            if payload[:1] == b"\x00":
                _, at = read_lenenc_number(payload, 1)
                _, at = read_lenenc_number(payload, at)
                results.append(([], struct.unpack_from("<H", payload, at)[0]))
            else:
                self.read_header(payload)
                rows, end = self.read_rows()
                results.append((rows, end | self.flags))
            if not results[-1][1] & 8 and payload[:1] == b"\x00":
                return results

    @staticmethod
    def read_row(payload, count):
        row, at = [], 0
        for _ in range(count):
            if payload[at] == 0xFB:
                row.append(None)
                at += 1
                continue
            size, at = read_lenenc_number(payload, at)
            row.append(payload[at:at + size])
            at += size
        return row
