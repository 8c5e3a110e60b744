"""Medians and ratios of what was measured, as tables and as JSON."""

from statistics import median, quantiles

RATIOS = ("rate", "p95_us", "cpu_s_per_1000_queries", "cpu_s_per_login", "cpu_s_per_mb", "kib_per_session")
# What the process's CPU time is stated by: unit of the workload -> (figure, operations or bytes, how it is written).
CPU_FIGURES = {"query": ("cpu_s_per_1000_queries", 1000, "/1000"), "login": ("cpu_s_per_login", 1, "/login"),
               "MB": ("cpu_s_per_mb", 1e6, "/MB")}


def spread(values):
    """Median and quartiles."""
    low, _, high = quantiles(values, n=4, method="inclusive") if len(values) > 1 else [values[0]] * 3
    return {"median": median(values), "quartiles": [low, high]}


def medians(rounds):
    """{figure: median} over the rounds."""
    return {name: median(one[name] for one in rounds if name in one) for name in rounds[0]} if rounds else {}


def ratios(rounds, base_rounds):
    """{figure: median and quartiles of each round's ratio}: what disturbs one round disturbs both targets of it."""
    found = {}
    for name in RATIOS:
        pairs = [(one[name], base[name]) for one, base in zip(rounds, base_rounds) if name in one and base.get(name)]
        if pairs:
            found[name] = spread([one / base for one, base in pairs])
    return found


def summarize(measured, bases):
    """`measured` is {workload: {target: [figures of each round]}}, `bases` {target: those that it is compared with};
    adds medians and ratios to these."""
    summary = {}
    for workload, targets in measured.items():
        summary[workload] = {}
        for name, rounds in targets.items():
            summary[workload][name] = {
                "median": medians(rounds),
                "ratio_to": {base: ratios(rounds, targets[base]) for base in bases[name] if base in targets},
                "rounds": rounds,
            }
    return summary


def others_cores(measured):
    """How many cores other work than the benchmark's kept busy, as the median of all measurements."""
    found = [one["others_cores"] for targets in measured.values() for rounds in targets.values() for one in rounds
             if "others_cores" in one]
    return median(found) if found else 0


def number(value, digits=0):
    return "" if value is None else f"{value:,.{digits}f}"


def times(value):
    """A ratio; with its quartiles where there are several rounds."""
    if value is None:
        return ""
    low, high = value.get("quartiles", (0, 0))
    return f"{value['median']:.2f}" + (f" ({low:.2f}-{high:.2f})" if low != high else "")


COLUMNS = ("workload", "target", "rate", "of direct", "p50 µs", "p95 µs", "p99 µs", "p95 × relay", "CPU s",
           "CPU × relay", "CPU × other", "switches", "syscalls", "epoll_ctl")
IDLE_COLUMNS = ("workload", "target", "KiB/session", "KiB × relay", "CPU s alone", "CPU s beside them",
                "beside × alone")


def ratio(entry, base, figure):
    """To the base of this name, however its clients come: a target has one of these."""
    for name in (f"{base}-tls", f"{base}-unix", base):
        if figure in entry["ratio_to"].get(name, {}):
            return entry["ratio_to"][name][figure]
    return None


def cpu_cells(entry):
    for figure, _, written in CPU_FIGURES.values():
        if figure in entry["median"]:
            return [f"{entry['median'][figure]:.5f} {written}", times(ratio(entry, "relay", figure)),
                    times(ratio(entry, "other-relay", figure))]
    return ["", "", ""]


def idle_row(workload, target, entry):
    figures = entry["median"]
    return [workload.name, target, number(figures["kib_per_session"], 1),
            times(ratio(entry, "relay", "kib_per_session")),
            *(number(figures.get(f"cpu_s_per_1000_queries_{when}"), 5) for when in ("alone", "beside")),
            number(figures.get("cpu_beside_to_alone"), 2)]


def row(workload, target, entry, syscalls):
    figures = entry["median"]
    rate = f"{figures['mb_per_s']:,.0f} MB/s" if workload.unit == "MB" else f"{figures['rate']:,.0f} /s"
    return [workload.name, target, rate, times(ratio(entry, "direct", "rate")),
            *(number(figures[name]) for name in ("p50_us", "p95_us", "p99_us")), times(ratio(entry, "relay", "p95_us")),
            *cpu_cells(entry), number(figures.get("switches_per_operation"), 2),
            number(syscalls and syscalls["all"], 2), number(syscalls and syscalls["epoll_ctl"], 3)]


def table(columns, rows):
    """A Markdown table, aligned so that it reads in a terminal too; columns with nothing in them are left out."""
    kept = [at for at in range(len(columns)) if any(one[at] for one in rows)]
    lines = [[columns[at] for at in kept], *([one[at] for at in kept] for one in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(kept))]

    def text(line):
        cells = (cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in enumerate(zip(line, widths)))
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 1) + ("-" if at < 2 else ":") for at, width in enumerate(widths)) + "|"
    return "\n".join([text(lines[0]), rule, *map(text, lines[1:])])


def whole_table(summary, workloads, syscalls):
    """Two tables where there are idle workloads too."""
    rows, idle_rows = [], []
    for name, targets in summary.items():
        for target, entry in targets.items():
            if workloads[name].unit == "session":
                idle_rows.append(idle_row(workloads[name], target, entry))
            else:
                rows.append(row(workloads[name], target, entry, syscalls.get(name, {}).get(target)))
    tables = [(COLUMNS, rows), (IDLE_COLUMNS, idle_rows)]
    return "\n\n".join(table(columns, lines) for columns, lines in tables if lines)


def figures_wanted(workload, target):
    """Names of those that a measurement must have."""
    if workload.unit == "session":
        return set() if target.startswith("direct") else {"kib_per_session", "sessions_held"}
    wanted = {"rate", "p50_us", "p95_us", "p99_us"}
    return wanted if target.startswith("direct") else wanted | {CPU_FIGURES[workload.unit][0]}


GATE_COLUMNS = ("gate", "workload", "target", "bound", "aim", "reached", "result")


def gate_table(found, workloads):
    """One line for each of these workloads of each gate."""
    rows = []
    for gate in found:
        sign = "≥" if gate["at_least"] else "≤"
        bounds = [f"{sign} {gate['bound']:,.5g}", f"{sign} {gate['aim']:,.5g}"]
        for result in gate["results"]:
            reached = times(result) if result["median"] < 1000 else number(result["median"])
            rows.append([gate["what"], result["workload"], gate["target"], *bounds, reached, result["status"]])
        for workload in (name for name in gate["not_measured"] if name in workloads):
            rows.append([gate["what"], workload, gate["target"], *bounds, "", "not measured"])
    return table(GATE_COLUMNS, rows) if rows else "none of these workloads has a gate"
