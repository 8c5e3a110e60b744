"""A witness of audit logs by C2SP's tlog-witness protocol, for tests: nothing of it is taken from the gateway."""

import http.server
import threading
import time

from audit_log import Checkpoint, Cosigner, Malformed, decode_base64, is_consistent


class Witness:
    def __init__(self, name, keys, seed=9):
        self.cosigner = Cosigner(name, bytes([seed]) * 32)
        self.keys = keys  # of the logs
        self.known = {}  # origin: (size, root)
        self.requests = []  # (status, size)
        self.answer_with = None  # a status with which everything is answered
        self.lock = threading.Lock()
        handler = type("Handler", (Handler,), {"witness": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/prefix"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def add_checkpoint(self, body):
        """(status, content type, body)"""
        front, _, note = body.partition(b"\n\n")
        old, *lines = front.decode().split("\n")
        checkpoint = Checkpoint(note)
        word, _, number = old.partition(" ")
        if word != "old" or str(int(number)) != number or len(lines) > 63 or int(number) > checkpoint.size:
            return 400, "text/plain", b""
        keys = [key for key in self.keys if key.name == checkpoint.origin]
        if not keys:
            return 404, "text/plain", b""
        if not any(checkpoint.signed_by(key) for key in keys):
            return 403, "text/plain", b""
        with self.lock:
            size, root = self.known.get(checkpoint.origin, (0, None))
            if int(number) != size or (size == checkpoint.size and size and root != checkpoint.root):
                return 409, "text/x.tlog.size", b"%d\n" % size
            proof = [decode_base64(line) for line in lines]
            if (size == 0 and proof) or (size and not is_consistent(size, root, checkpoint.size, checkpoint.root, proof)):
                return 422, "text/plain", b""
            self.known[checkpoint.origin] = (checkpoint.size, checkpoint.root)
        return 200, "text/plain", self.cosigner.cosign(checkpoint.text, int(time.time())).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    witness = None
    protocol_version = "HTTP/1.1"

    def do_POST(self):  # pylint: disable=invalid-name
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.witness.answer_with is not None:
            answer = self.witness.answer_with, "text/plain", b"no\n"
        elif self.path != "/prefix/add-checkpoint":
            answer = 404, "text/plain", b""
        else:
            try:
                answer = self.witness.add_checkpoint(body)
            except (Malformed, ValueError, UnicodeDecodeError):
                answer = 400, "text/plain", b""
        self.witness.requests.append(answer[0])
        self.send_response(answer[0])
        self.send_header("Content-Type", answer[1])
        self.send_header("Content-Length", str(len(answer[2])))
        self.end_headers()
        self.wfile.write(answer[2])

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass
