"""Medians and ratios of what was measured, as a table and as JSON."""

from statistics import median, quantiles

# Which targets a target is compared with: those that do the same to the client's side.
BASES = {True: ("direct-tls", "relay-tls", "other-relay-tls"), False: ("direct", "relay", "other-relay")}
RATIOS = ("rate", "p95_us", "cpu_us_per_operation", "cpu_us_per_mb", "kib_per_session")


def medians(rounds):
    """{figure: median} over the rounds."""
    return {name: median(one[name] for one in rounds) for name in rounds[0]} if rounds else {}


def ratios(rounds, base_rounds):
    """{figure: median and quartiles of each round's ratio}: what disturbs one round disturbs both targets of it."""
    found = {}
    for name in RATIOS:
        pairs = [(one[name], base[name]) for one, base in zip(rounds, base_rounds) if name in one and base.get(name)]
        if pairs:
            of_rounds = [one / base for one, base in pairs]
            low, _, high = quantiles(of_rounds, n=4, method="inclusive") if len(of_rounds) > 1 else of_rounds * 3
            found[name] = {"median": median(of_rounds), "quartiles": [low, high]}
    return found


def summarize(measured, tls_targets):
    """`measured` is {workload: {target: [figures of each round]}}; adds medians and ratios to other targets."""
    summary = {}
    for workload, targets in measured.items():
        summary[workload] = {}
        for name, rounds in targets.items():
            bases = [base for base in BASES[name in tls_targets] if base != name and base in targets]
            summary[workload][name] = {
                "median": medians(rounds),
                "ratio_to": {base: ratios(rounds, targets[base]) for base in bases},
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
    low, high = value["quartiles"]
    return f"{value['median']:.2f}" + (f" ({low:.2f}-{high:.2f})" if low != high else "")


COLUMNS = ("workload", "target", "rate", "of direct", "p50 µs", "p95 µs", "p99 µs", "p95 × relay", "CPU µs", "CPU × relay",
           "CPU × other", "switches", "syscalls")


def ratio(entry, base, figure):
    """To the base of this name, with TLS or without: a target has one of both."""
    for name in (f"{base}-tls", base):
        if figure in entry["ratio_to"].get(name, {}):
            return entry["ratio_to"][name][figure]
    return None


def row(workload, target, entry, syscalls):
    figures = entry["median"]
    if workload.unit == "session":
        return [workload.name, target, f"{figures['kib_per_session']:.1f} KiB/session", *[""] * 10]
    megabytes = workload.unit == "MB"
    rate = f"{figures['mb_per_s']:,.0f} MB/s" if megabytes else f"{figures['rate']:,.0f} /s"
    cpu = "cpu_us_per_mb" if megabytes else "cpu_us_per_operation"
    return [workload.name, target, rate, times(ratio(entry, "direct", "rate")),
            *(number(figures[name]) for name in ("p50_us", "p95_us", "p99_us")), times(ratio(entry, "relay", "p95_us")),
            number(figures.get(cpu), 1) + (" /MB" if megabytes and cpu in figures else ""),
            times(ratio(entry, "relay", cpu)), times(ratio(entry, "other-relay", cpu)),
            number(figures.get("switches_per_operation"), 2), number(syscalls and syscalls["all"], 2)]


def table(rows):
    """A Markdown table, aligned so that it reads in a terminal too; columns with nothing in them are left out."""
    kept = [at for at in range(len(COLUMNS)) if any(one[at] for one in rows)]
    lines = [[COLUMNS[at] for at in kept], *([one[at] for at in kept] for one in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(kept))]

    def text(line):
        cells = (cell.ljust(width) if at < 2 else cell.rjust(width) for at, (cell, width) in enumerate(zip(line, widths)))
        return "| " + " | ".join(cells) + " |"

    rule = "|" + "|".join("-" * (width + 1) + ("-" if at < 2 else ":") for at, width in enumerate(widths)) + "|"
    return "\n".join([text(lines[0]), rule, *map(text, lines[1:])])


def whole_table(summary, workloads, syscalls):
    rows = [row(workloads[name], target, entry, syscalls.get(name, {}).get(target))
            for name, targets in summary.items() for target, entry in targets.items() if entry["median"]]
    return table(rows)
