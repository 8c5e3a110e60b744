"""A result passes through in bounded memory, whatever its size and shape, and however slowly the client reads.

The default run streams 256 MB; SALLYPORT_TEST_LONG=1 has 5 GB streamed too.
"""

import os
import struct
import time
from pathlib import Path

import pytest

from laboratory import wait_until
from mysql_wire import QUERY, STMT_PREPARE, Client

STMT_EXECUTE = 0x17
MIB = 1 << 20
SESSION_BYTES_MAX = 1 * MIB
NOISE_BYTES = 512 << 10  # of the allocator and of other threads' first use of their memory
SAMPLE_BYTES = 8 * MIB
LONG = pytest.mark.skipif(os.environ.get("SALLYPORT_TEST_LONG") != "1", reason="SALLYPORT_TEST_LONG=1 runs it")
HEADER_BYTES = 4
PACKET_PAYLOAD_MAX = 0xFFFFFF


def resident_bytes(lab):
    for line in Path(f"/proc/{lab.pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) << 10
    raise AssertionError("smaps_rollup has no Rss")


class Reader:
    """Walks over a result without keeping it: counts bytes and rows, and asks for the gateway's memory on the way."""

    def __init__(self, lab, client):
        self.lab, self.socket = lab, client.socket
        assert not client.received
        self.buffer = memoryview(bytearray(MIB))
        self.bytes, self.packets, self.most, self.next_sample = 0, 0, 0, 0

    def read_to_end(self):
        """Reads until the second EOF packet of a result."""
        head, skip, ends, continued = b"", 0, 0, False
        while ends < 2:
            size = self.socket.recv_into(self.buffer)
            assert size, "the result was cut off"
            self.bytes += size
            at = 0
            while at < size:
                step = min(skip, size - at)
                skip, at = skip - step, at + step
                if at == size:
                    break
                # The header and the first byte of the payload.
                wanted = HEADER_BYTES + 1 - len(head)
                head += bytes(self.buffer[at:min(at + wanted, size)])
                at = min(at + wanted, size)
                if len(head) == HEADER_BYTES + 1:
                    length = int.from_bytes(head[:3], "little")
                    assert head[4] != 0xFF or continued, "an error in place of a row"
                    if head[4] == 0xFE and length < 9 and not continued:
                        ends += 1
                    else:
                        self.packets += not continued
                    continued, skip, head = length == PACKET_PAYLOAD_MAX, length - 1, b""
            if self.bytes >= self.next_sample:
                self.most = max(self.most, resident_bytes(self.lab))
                self.next_sample = self.bytes + SAMPLE_BYTES


def send(client, protocol, sql):
    if protocol == "text":
        client.command(QUERY, sql.encode())
        return
    client.command(STMT_PREPARE, sql.encode())
    _, statement, columns, parameters = struct.unpack_from("<BIHH", client.receive_ok())
    assert parameters == 0
    for _ in range(columns + 1):
        client.receive_ok()
    client.command(STMT_EXECUTE, struct.pack("<IBI", statement, 0, 1))


def stream(lab, protocol, sql, warm_up):
    """Streams a result after a small one of its kind; returns its reader and by how much the gateway grew meanwhile."""
    with lab.login("reporter") as client:
        client.socket.settimeout(120)
        send(client, protocol, warm_up)
        Reader(lab, client).read_to_end()
        before = resident_bytes(lab)
        send(client, protocol, sql)
        reader = Reader(lab, client)
        reader.read_to_end()
        return reader, reader.most - before


def rows_of(size, count):
    """A statement with `count` rows (10^8 at most) of one column of `size` bytes."""
    return f"SELECT REPEAT('x', {size}) FROM driver_rows a, driver_rows b LIMIT {count}"


def check(reader, growth, bytes_least):
    assert reader.bytes >= bytes_least
    assert growth <= SESSION_BYTES_MAX + NOISE_BYTES, f"grew by {growth / MIB:.1f} MiB over {reader.bytes / MIB:.0f} MiB"


@pytest.fixture
def rows(lab):
    lab.load_fixture()
    return lab


@pytest.mark.parametrize("protocol", ["text", "binary"])
@pytest.mark.parametrize("row_bytes", [1000, 300_000])
def test_a_large_result_takes_no_more_memory_than_a_small_one(rows, protocol, row_bytes):
    total = 256 * MIB if row_bytes == 300_000 or protocol == "text" else 64 * MIB
    reader, growth = stream(rows, protocol, rows_of(row_bytes, total // row_bytes + 1), rows_of(row_bytes, 4 * MIB // row_bytes))
    check(reader, growth, total)


@LONG
@pytest.mark.parametrize("protocol", ["text", "binary"])
def test_five_gigabytes_take_no_more_memory_than_a_small_result(rows, protocol):
    total = 5 << 30
    reader, growth = stream(rows, protocol, rows_of(100_000, total // 100_000 + 1), rows_of(100_000, 40))
    check(reader, growth, total)


@pytest.mark.parametrize("protocol", ["text", "binary"])
def test_many_columns(rows, protocol):
    """4,000 columns, which no single read holds."""
    columns = ", ".join(f"'{number:04}' AS c{number}" for number in range(4000))
    reader, growth = stream(rows, protocol, f"SELECT {columns} FROM driver_rows LIMIT 1000",
                            f"SELECT {columns} FROM driver_rows LIMIT 100")
    assert reader.packets >= 1 + 4000 + 1000
    check(reader, growth, 1000 * 4000 * 5)


def test_more_columns_than_16_bits_count(lab):
    if lab.kind != "mariadb":
        pytest.skip("MariaDB answers such a statement")
    with lab.login("reporter") as client:
        assert client.query("SELECT " + ",".join("1" * 68_001)) == [[b"1"] * 68_001]
        assert client.query("SELECT 'after'") == [[b"after"]]


@pytest.mark.parametrize("protocol", ["text", "binary"])
def test_one_row_of_more_than_64_mb(rows, protocol):
    half = 40_000_000
    reader, growth = stream(rows, protocol, f"SELECT REPEAT('x', {half}), REPEAT('y', {half})",
                            f"SELECT REPEAT('x', {2 * MIB}), REPEAT('y', {2 * MIB})")
    check(reader, growth, 2 * half)


@pytest.mark.parametrize("protocol", ["text", "binary"])
def test_a_slow_reader_is_waited_for_in_bounded_memory(rows, protocol):
    """While the client reads nothing the gateway reads no further from the server; then it gets all of it."""
    lab = rows

    def received():
        _, text = lab.admin("/metrics")
        return next(float(line.split()[1]) for line in text.splitlines()
                    if line.startswith("sallyport_backend_bytes_received_total"))

    with lab.login("reporter") as client, lab.login("reporter") as witness:
        client.socket.settimeout(120)
        send(client, protocol, rows_of(1000, 1000))
        Reader(lab, client).read_to_end()
        memory, before = resident_bytes(lab), received()
        send(client, protocol, rows_of(1000, 100 * MIB // 1000))
        levels = [before]

        def stands_still():
            time.sleep(0.25)
            levels.append(received())
            return levels[-1] > before + 100_000 and levels[-1] == levels[-2]

        # The witness's statements move the counter a little, so none run meanwhile.
        wait_until(stands_still, 30, "the end of the gateway's reading ahead")
        assert levels[-1] - before < 32 * MIB, "the sockets' buffers hold less than that"
        assert resident_bytes(lab) - memory <= SESSION_BYTES_MAX + NOISE_BYTES
        assert witness.query("SELECT 'undisturbed'") == [[b"undisturbed"]]
        reader = Reader(lab, client)
        reader.read_to_end()
        check(reader, reader.most - memory, 100 * MIB)
        assert isinstance(client, Client) and client.query("SELECT 1") == [[b"1"]]
