"""A server that misbehaves: what a real one can't be made to do on demand. Only for faults; answers come from real servers."""

import socket
import struct
import threading

DEPRECATE_EOF = 1 << 24
CAPABILITIES = 0x00FFFFFF & ~(1 << 11) & ~(1 << 5) | 1 << 24 | 1 << 19  # no TLS, no compression


def packet(sequence, payload):
    return struct.pack("<I", len(payload))[:3] + bytes([sequence & 0xFF]) + payload


def greeting(version="10.11.0-MariaDB"):
    low, high = CAPABILITIES & 0xFFFF, CAPABILITIES >> 16
    return packet(0, b"\x0a" + version.encode() + b"\0" + struct.pack("<I", 7) + b"A" * 8 + b"\0" + struct.pack("<HBHH", low, 45, 2, high) +
                  bytes([21]) + b"\0" * 10 + b"B" * 12 + b"\0" + b"mysql_native_password\0")


OK = b"\x00\x00\x00\x02\x00\x00\x00"
EOF_PACKET = b"\xfe\x00\x00\x02\x00"
COLUMN = (b"\x03def\x00\x00\x00\x01a\x00\x0c" + struct.pack("<HIBHB", 45, 400, 253, 0, 0) + b"\0\0")


class FaultyServer:
    """Listens on a port and gives each connection to behave(connection), in a thread of its own."""

    def __init__(self, port, behave):
        self.behave = behave
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(("127.0.0.1", port))
        self.socket.listen(64)
        self.connections = []
        self.thread = threading.Thread(target=self.accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()
        for one in self.connections:
            one.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.settimeout(30)
            self.connections.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            self.behave(connection)
        except OSError:
            pass
        finally:
            connection.close()


def read_packet(connection):
    header = b""
    while len(header) < 4:
        piece = connection.recv(4 - len(header))
        if not piece:
            raise OSError("closed")
        header += piece
    size, payload = int.from_bytes(header[:3], "little"), b""
    while len(payload) < size:
        piece = connection.recv(size - len(payload))
        if not piece:
            raise OSError("closed")
        payload += piece
    return header[3], payload


def log_in(connection):
    """A login that takes any password; what was agreed upon."""
    connection.sendall(greeting())
    sequence, response = read_packet(connection)
    connection.sendall(packet(sequence + 1, OK))
    return CAPABILITIES & int.from_bytes(response[:4], "little")


def own_answer(payload, negotiated):
    """To a command of the gateway itself: SET ..., USE ..., and what it asks about the session."""
    if b"@@SESSION.sql_mode" not in payload:
        return packet(1, OK)
    columns = [b"\x03"] + [COLUMN] * 3
    row = b"\x00\x07utf8mb4\xfb"
    with_eof = not negotiated & DEPRECATE_EOF
    packets = columns + ([EOF_PACKET] if with_eof else []) + [row, EOF_PACKET if with_eof else b"\xfe\x00\x00\x02\x00\x00\x00"]
    return b"".join(packet(number + 1, one) for number, one in enumerate(packets))


def answer_until(connection, wanted, answer):
    """Answers to what the gateway itself sends, and by answer(connection) to the wanted text."""
    negotiated = log_in(connection)
    while True:
        _, payload = read_packet(connection)
        if wanted in payload:
            answer(connection)
            return
        connection.sendall(own_answer(payload, negotiated))
