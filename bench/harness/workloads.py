"""What the clients do. Each workload is one kind of bench/load at a number of connections."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    name: str
    kind: str  # of bench/load
    connections: int
    unit: str  # what is counted: queries, logins, megabytes, sessions


WORKLOADS = {one.name: one for one in (
    *(Workload(f"text-{count}", "point-text", count, "query") for count in (1, 8, 64)),
    *(Workload(f"prepared-{count}", "point-prepared", count, "query") for count in (1, 8, 64)),
    Workload("login-8", "login", 8, "login"),
    Workload("large-1", "large", 1, "MB"),
    Workload("idle-500", "idle", 500, "session"),
)}

SMOKE_WORKLOADS = ("text-8", "login-8")
SMOKE_TARGETS = ("direct-tls", "relay-tls", "sallyport")
