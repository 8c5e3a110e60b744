"""What two runs of the suite say of the gateway, and whether it is as the exceptions file says."""

from collections import Counter
from dataclasses import dataclass, field

from conformance.suite import differs_in_place_only, first_difference


@dataclass
class Exceptions:
    """Lines of `NAME REASON...`, or `NAME? REASON...` of a test that passes at times; # begins a comment."""

    reasons: dict
    at_times: set
    mistakes: list

    @classmethod
    def read(cls, path):
        reasons, at_times, mistakes = {}, set(), []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            text = line.split("#", 1)[0].strip()
            if not text:
                continue
            name, _, reason = text.partition(" ")
            if name.endswith("?"):
                name = name[:-1]
                at_times.add(name)
            if not reason.strip():
                mistakes.append(f"{path.name}:{number}: {name} has no reason")
            if name in reasons:
                mistakes.append(f"{path.name}:{number}: {name} stands there twice")
            reasons[name] = reason.strip()
        return cls(reasons, at_times, mistakes)


@dataclass
class Runs:
    """Outcomes by test name. `again_*` are those of tests that differed, each run once more on fresh servers."""

    wanted: list
    direct: dict = field(default_factory=dict)
    through: dict = field(default_factory=dict)
    again_direct: dict = field(default_factory=dict)
    again_through: dict = field(default_factory=dict)

    def passing_directly(self):
        return [name for name in self.wanted if passes(self.direct, name)]

    def first_differences(self):
        return [name for name in self.passing_directly() if not passes_through(self.through, name)]

    def differences(self):
        """Tests that failed through the gateway twice, and passed directly twice."""
        return [name for name in self.first_differences()
                if passes(self.again_direct, name) and not passes_through(self.again_through, name)]

    def unsteady(self):
        return [name for name in self.first_differences() if name not in self.differences()]

    def missing(self):
        return ([name for name in self.wanted if name not in self.direct] +
                [name for name in self.first_differences() if name not in self.again_through or name not in self.again_direct])


def passes(outcomes, name):
    return name in outcomes and outcomes[name].outcome == "pass"


def passes_through(outcomes, name):
    """Syntax errors are the gateway's own; the place that they name needs not be the server's."""
    return passes(outcomes, name) or (name in outcomes and differs_in_place_only(outcomes[name]))


def unused_exceptions(runs, exceptions):
    """Exceptions for tests that passed through the gateway in this run."""
    return [name for name in exceptions.reasons if name not in exceptions.at_times and name in runs.wanted and name in runs.through and
            name not in runs.differences() and name not in runs.missing() and passes_through(runs.through, name)]


def print_report(runs, exceptions, logins):
    """Prints it all; returns how many things are wrong."""
    differences, unused, missing = runs.differences(), unused_exceptions(runs, exceptions), runs.missing()
    unexpected = [name for name in differences if name not in exceptions.reasons]
    for name in differences:
        reason = exceptions.reasons.get(name)
        print(f"\n{name}: " + (f"excepted: {reason}" if reason else "DIFFERS"))
        for line in first_difference(runs.again_through.get(name, runs.through.get(name)).detail
                                     if name in runs.again_through or name in runs.through else []):
            print(f"    {line}")
    kinds = Counter(one.outcome for one in runs.direct.values())
    print("\nMariaDB's regression suite, directly and through the gateway")
    for label, count in (
            ("tests", len(runs.wanted)), ("directly: skipped with --extern", kinds["skipped"] + kinds["disabled"]),
            ("directly: failed with --extern", kinds["fail"]), ("directly: passed", kinds["pass"]),
            ("through the gateway: passed", sum(passes_through(runs.through, name) for name in runs.passing_directly())),
            ("  of these, a syntax error elsewhere",
             sum(passes_through(runs.through, name) and not passes(runs.through, name) for name in runs.passing_directly())),
            ("differing at first, not again", len(runs.unsteady())), ("differing, excepted", len(differences) - len(unexpected)),
            ("differing, unexpected", len(unexpected)), ("not come to", len(missing)),
            ("logins through the gateway", logins.through), ("logins refused by the server", logins.refused_beside),
            ("logins beside the gateway", len(logins.beside))):
        print(f"  {label:<36}{count:>6}")
    if logins.beside:
        print("  users beside: " + ", ".join(f"{user} {count}" for user, count in Counter(logins.beside).most_common(20)))
    for label, names in (("unsteady", runs.unsteady()), ("unexpected", unexpected), ("unused exceptions", unused),
                         ("not come to", missing)):
        if names:
            print(f"  {label}: {' '.join(names)}")
    for mistake in exceptions.mistakes:
        print(f"  {mistake}")
    return len(unexpected) + len(unused) + len(missing) + len(exceptions.mistakes)
