"""The bounds that the gateway's figures have to keep, and whether they do."""

from dataclasses import dataclass

AIM_MET, MET, MISSED, NOT_MEASURED = "aim met", "met", "missed", "not measured"
NONE = 0.001  # what counts as no system call: one in a thousand queries


@dataclass(frozen=True)
class Gate:
    """A figure of a target in some workloads; the worst of them decides."""

    name: str
    what: str
    kind: str  # "ratio" to `base`, "figure" of its own, or "syscalls" by operation
    figure: str
    bound: float
    aim: float
    workloads: tuple
    target: str = "sallyport"
    base: str = "relay-tls"
    at_least: bool = False

    def status(self, value):
        if self.at_least:
            return AIM_MET if value >= self.aim else MET if value >= self.bound else MISSED
        return AIM_MET if value <= self.aim else MET if value <= self.bound else MISSED


def points(*counts):
    return tuple(f"{name}-{count}" for name in ("text", "prepared") for count in counts)


CPU = "cpu_s_per_1000_queries"
GATES = (
    Gate("point-select-tls", "CPU of a point select, TLS, × relay", "ratio", CPU, 1.4, 1.2, points(8, 64)),
    Gate("point-select-plain", "CPU of a point select, without TLS, × relay", "ratio", CPU, 1.5, 1.25, points(8, 64),
         target="sallyport-unix", base="relay-unix"),
    Gate("p95-one-connection", "p95 at one connection, TLS, × relay", "ratio", "p95_us", 1.4, 1.2, points(1)),
    Gate("large-result", "CPU of a large result, TLS, × relay", "ratio", "cpu_s_per_mb", 1.15, 1.03, ("large-1",)),
    Gate("login", "CPU of connect, login and query, TLS, pooled backend, × relay", "ratio", "cpu_s_per_login", 1.3, 1.0,
         ("login-8",), target="sallyport-pooled"),
    Gate("idle-memory", "KiB resident per idle TLS session", "figure", "kib_per_session", 32, 18, ("idle-1500",)),
    Gate("idle-beside", "CPU per query with 1,500 idle sessions beside, × without", "figure", "cpu_beside_to_alone",
         1.2, 1.05, ("idle-1500",)),
    Gate("idle-held", "idle TLS sessions held", "figure", "sessions_held", 10_000, 10_000, ("idle-10000",),
         at_least=True),
    Gate("system-calls", "system calls per query", "syscalls", "all", 8, 6, points(1, 8, 64)),
    Gate("epoll-ctl", "epoll_ctl per query in the steady state", "syscalls", "epoll_ctl", NONE, NONE, points(1, 8, 64)),
    Gate("two-workers", "rate of two worker threads, × one", "ratio", "rate", 1.6, 1.6, ("workers-64",),
         target="sallyport-two-workers", base="sallyport", at_least=True),
    Gate("audit", "CPU of a point select, × without audit records", "ratio", CPU, 1.12, 1.12, points(8, 64),
         base="sallyport-unaudited"),
    Gate("strict", "rate of strict durability, × a sync for each statement", "ratio", "rate", 5, 5, ("strict-64",),
         target="sallyport-strict", base="sync-each", at_least=True),
)


def found_value(gate, workload, summary, syscalls):
    """{"median", "quartiles"} of the gate's figure in a workload; None when it wasn't measured."""
    entry = summary.get(workload, {}).get(gate.target)
    if gate.kind == "syscalls":
        counts = syscalls.get(workload, {}).get(gate.target)
        return None if counts is None else {"median": counts[gate.figure]}
    if not entry:
        return None
    if gate.kind == "ratio":
        return entry["ratio_to"].get(gate.base, {}).get(gate.figure)
    return {"median": entry["median"][gate.figure]} if gate.figure in entry["median"] else None


def evaluate(summary, syscalls):
    """One entry for each gate; its status is that of its worst workload."""
    found = []
    for gate in GATES:
        values = {name: found_value(gate, name, summary, syscalls) for name in gate.workloads}
        measured = {name: value for name, value in values.items() if value is not None}
        results = [{"workload": name, **value, "status": gate.status(value["median"])}
                   for name, value in measured.items()]
        found.append({"gate": gate.name, "what": gate.what, "target": gate.target, "bound": gate.bound, "aim": gate.aim,
                      "at_least": gate.at_least, "status": worst(result["status"] for result in results),
                      "results": results, "not_measured": [name for name in gate.workloads if name not in measured]})
    return found


def worst(statuses):
    order = (MISSED, MET, AIM_MET)
    return min(statuses, key=order.index, default=NOT_MEASURED)


def missed(found, workloads):
    """Names of the gates that are missed, or that these workloads should have measured and didn't."""
    return [one["gate"] for one in found
            if one["status"] == MISSED or any(name in workloads for name in one["not_measured"])]
