"""The lab: a real server, a real identity provider and a gateway on loopback, for tests and by hand."""


class Failure(Exception):
    """What went wrong, and what to do about it; printed as it is."""
