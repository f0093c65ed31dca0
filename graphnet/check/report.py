"""The results of the checks of operations, modules and optimizers."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from inspect import isfunction
from textwrap import wrap
from typing import NamedTuple

from graphnet.console_text import shown
from graphnet.errors import GraphError
from graphnet.notebook import framed, html_paragraphs, html_table

Check = Callable[[], str]
"""Checks one thing; returns what is wrong in words, "" if nothing is, or raises NotChecked."""


class NotChecked(Exception):  # noqa: N818 - not an error
    """There is nothing to check here, and why."""


class Finding(NamedTuple):
    """The result of one check.

    Attributes:
        name: what was checked.
        fault: what is wrong, in words; empty if nothing is.
        left_out: why it was not checked; empty if it was.
    """

    name: str
    fault: str = ""
    left_out: str = ""

    @property
    def verdict(self) -> str:
        """The result in words."""
        if self.left_out:
            return f"not checked: {self.left_out}"
        return f"WRONG: {self.fault}" if self.fault else "right"


class Report:
    """The results of all checks; it is true if nothing is wrong.

    Attributes:
        subject: what was checked.
        findings: one for each check.
    """

    def __init__(self, subject: str, findings: list[Finding]) -> None:
        self.subject = subject
        self.findings = findings

    @property
    def faults(self) -> list[Finding]:
        """The checks that found something wrong."""
        return [finding for finding in self.findings if finding.fault]

    def __bool__(self) -> bool:
        return not self.faults

    def __str__(self) -> str:
        width = max((len(finding.name) for finding in self.findings), default=0)
        lines = []
        seen: dict[str, str] = {}
        for finding in self.findings:
            text = finding.verdict
            if finding.fault in seen:
                text = f"WRONG: the same as {seen[finding.fault]!r}"
            elif finding.fault:
                seen[finding.fault] = finding.name
            first, *rest = wrap(text, max(40, 98 - width))
            lines.append(f"{finding.name.ljust(width)}  {first}")
            lines.extend(f"{'':{width}}  {line}" for line in rest)
        return shown("\n".join([*lines, self.verdict]))

    @property
    def verdict(self) -> str:
        """How many checks pass, in a sentence."""
        count = len(self.faults)
        verdict = "all checks pass" if not count else f"{count} of {len(self.findings)} are wrong"
        return f"{self.subject}: {verdict}."

    def __repr__(self) -> str:
        return f"<Report on {self.subject}: {len(self.faults)} faults>"

    def _repr_html_(self) -> str:
        """The checks as a table, in a notebook."""
        rows = [(finding.name, finding.verdict) for finding in self.findings]
        return framed(html_table([("check", "verdict"), *rows]), html_paragraphs(self.verdict))


def examine(subject: str, suite: object, skip: Collection[str]) -> Report:
    """Run the checks of a suite, except those whose name starts with a name in `skip`.

    Each public method of the suite is a check, in the order of its class and then its base class.

    Raises:
        GraphError: a name to skip matches no check.
    """
    skipped = (skip,) if isinstance(skip, str) else tuple(skip)
    checks = list(_checks_of(suite))
    for each in skipped:
        if not any(name.startswith(each) for name, _ in checks):
            names = ", ".join(repr(name) for name, _ in checks)
            raise GraphError(f"There is no check {each!r} to skip; the checks are {names}.")
    findings = [
        Finding(name, left_out="you said so") if name.startswith(skipped) else _run(name, check)
        for name, check in checks
    ]
    return Report(subject, findings)


def _checks_of(suite: object) -> Iterator[tuple[str, Check]]:
    """The public methods, each with its name in words."""
    for kind in type(suite).__mro__:
        for name, member in vars(kind).items():
            if isfunction(member) and not name.startswith("_"):
                words = name.replace("read_only", "read-only").replace("_", " ")
                yield words, getattr(suite, name)


def _run(name: str, check: Check) -> Finding:
    """The result of one check; an unexpected exception is a fault as well."""
    try:
        return Finding(name, check())
    except NotChecked as reason:
        return Finding(name, left_out=str(reason))
    except Exception as error:  # the user's code may raise anything; the report says what
        return Finding(name, f"{type(error).__name__}: {error}")
