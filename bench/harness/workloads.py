"""What the clients do, and which targets it is done to unless others are asked for."""

from dataclasses import dataclass

PLAIN = ("direct", "relay", "other-relay", "haproxy", "router", "proxysql")
TLS = ("direct-tls", "relay-tls", "other-relay-tls", "router-tls", "proxysql-tls", "sallyport")
UNIX = ("relay-unix", "sallyport-unix")
POOLED = ("sallyport-pooled",)
KNOWN_TOKENS = ("sallyport-known-tokens",)
PROXIES = tuple(name for name in PLAIN + TLS if not name.startswith("direct"))
UNAUDITED = ("sallyport-unaudited",)
STRICT = ("sync-each", "sallyport-strict", "sallyport")
WORKERS = ("sallyport", "sallyport-two-workers")


@dataclass(frozen=True)
class Workload:
    name: str
    kind: str  # of bench/load, "sysbench", or "workers"
    connections: int
    unit: str  # what is counted: query, login, MB, session
    targets: tuple = PLAIN + TLS
    rounds_max: int | None = None  # where more rounds would cost much time and say little
    script: str = ""  # of sysbench
    busy: int = 0  # further sessions that ask while the idle ones are there
    default: bool = True
    reduced: bool = False  # it has fewer sessions than its name says


WORKLOADS = {one.name: one for one in (
    *(Workload(f"{name}-{count}", f"point-{name}", count, "query", PLAIN + TLS + (UNIX + UNAUDITED if count > 1 else ()))
      for name in ("text", "prepared") for count in (1, 8, 64)),
    Workload("sysbench-read-8", "sysbench", 8, "query", script="oltp_read_only"),
    Workload("sysbench-write-8", "sysbench", 8, "query", script="oltp_read_write"),
    Workload("login-8", "login", 8, "login", PLAIN + TLS + POOLED + KNOWN_TOKENS),
    Workload("strict-64", "point-text", 64, "query", STRICT),
    Workload("large-1", "large", 1, "MB"),
    Workload("idle-1500", "idle", 1500, "session", PROXIES + POOLED, rounds_max=3, busy=8),
    Workload("idle-10000", "idle", 10_000, "session", PROXIES + POOLED, rounds_max=1),
    Workload("workers-64", "workers", 64, "query", WORKERS),
    Workload("idle-100", "idle", 100, "session", PROXIES, busy=8, default=False),
)}

SMOKE_WORKLOADS = ("text-8", "sysbench-write-8", "login-8", "idle-100")
SMOKE_TARGETS = ("direct-tls", "relay-tls", "haproxy", "router-tls", "sallyport", "sallyport-pooled")
