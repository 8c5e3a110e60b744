"""Another server behind the gateway of a lab with chaos.yaml or servers.yaml, to be killed, stopped and restarted."""

import os
import signal
import sys

from laboratory import REPOSITORY

sys.path.insert(0, str(REPOSITORY / "tools" / "lab.d"))
from lab.servers import KINDS, quoted  # noqa: E402  (the path above comes first)


class Victim:
    """The server, and what is done to it. Its schema is `chaos`; `numbers` there has 100 rows."""

    def __init__(self, lab, name="victim", spare_port=4):
        directory = lab.directory / name
        directory.mkdir()
        self.server = KINDS[lab.kind](directory, directory / "s", int(lab.values[f"LAB_SPARE_PORT_{spare_port}"]), lab.directory / "tls")
        self.server.start()
        password = (lab.directory / "secrets" / "sallyport_shared").read_text().strip()
        rows = ", ".join(f"({number})" for number in range(100))
        self.server.execute(f"CREATE USER victim@'%' IDENTIFIED BY {quoted(password)}; CREATE DATABASE chaos;"
                            "GRANT ALL PRIVILEGES ON chaos.* TO victim@'%';"
                            f"CREATE TABLE chaos.numbers (n INT); INSERT INTO chaos.numbers VALUES {rows};")

    def signal(self, number):
        os.kill(self.server.program.pid(), number)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.server.program.process.wait(20)

    def start(self):
        self.server.run()

    def revive(self):
        """Whatever was done to it is over."""
        if self.server.program.process.poll() is None:
            self.signal(signal.SIGCONT)
        else:
            self.start()

    def statements_with(self, marker):
        """How many of the server's sessions run a statement with the marker in its text."""
        return int(self.server.execute("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE "
                                       f"'%{marker}%' AND id <> CONNECTION_ID()"))
