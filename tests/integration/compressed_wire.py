"""A client of the tests' own that speaks the compressed protocol with zlib, and checks each frame's number as strictly as
libmysqlclient does: one count for both directions, from 0 with each command."""

import zlib

from mysql_wire import CLIENT_COMPRESS, USUAL, Client

HEADER_BYTES = 7


def frame(number, plain, stored=False, announced=None):
    """One frame of `plain`, as it is or compressed; `announced` is what its header tells in place of the true length."""
    body = plain if stored else zlib.compress(plain)
    length = 0 if stored else len(plain)
    length = length if announced is None else announced
    return len(body).to_bytes(3, "little") + bytes([number & 0xFF]) + length.to_bytes(3, "little") + body


class CompressedClient(Client):
    """Compressed from the end of login() on. `frame_number` is that of the next frame, of either side."""

    frame_number = None
    frame_bytes = 0xFFFFFF
    unfolded = b""
    pending = b""

    def login(self, *arguments, capabilities=USUAL, **options):
        ok = super().login(*arguments, capabilities=capabilities | CLIENT_COMPRESS, **options)
        self.frame_number = 0
        return ok

    def command(self, opcode, body=b""):
        self.frame_number = 0
        super().command(opcode, body)

    def send(self, payload):
        super().send(payload)
        if self.frame_number is not None:
            pending, self.pending = self.pending, b""
            for at in range(0, len(pending), self.frame_bytes):
                piece = pending[at:at + self.frame_bytes]
                super().send_raw(frame(self.frame_number, piece, stored=len(piece) < 50))
                self.frame_number = (self.frame_number + 1) & 0xFF

    def send_raw(self, data):
        if self.frame_number is None:
            super().send_raw(data)
        else:
            self.pending += data

    def send_frames(self, data):
        """Bytes as they are."""
        super().send_raw(data)

    def receive_raw(self, size):
        if self.frame_number is None:
            return super().receive_raw(size)
        while len(self.unfolded) < size:
            self.unfolded += self.receive_frame()
        data, self.unfolded = self.unfolded[:size], self.unfolded[size:]
        return data

    def receive_frame(self):
        header = super().receive_raw(HEADER_BYTES)
        body = super().receive_raw(int.from_bytes(header[:3], "little"))
        length = int.from_bytes(header[4:], "little")
        assert header[3] == self.frame_number, f"a frame with number {header[3]} where {self.frame_number} is due"
        self.frame_number = (self.frame_number + 1) & 0xFF
        plain = zlib.decompress(body) if length else body
        assert not length or len(plain) == length
        return plain
