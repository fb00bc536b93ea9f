"""``flask activepieces doctor``: what is wrong with the setup, and how to correct it."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Timer

import click
from flask import current_app
from flask.cli import with_appcontext

from ..doctor.examination import examine
from ..doctor.findings import Finding
from ..doctor.subject import Subject
from ..errors import SetupError, Unavailable
from ..state import get_state
from ..storage.maintenance import has_tenant
from .output import HostId, counted, json_option, print_result, printable

_WIDTH = 100
#: Seconds.
_PATIENCE = 2
_LABELS = ("Seen", "Why", "Remedy")


@click.command("doctor")
@click.option("--tenant", "tenant_id", type=HostId(), help="Of all tenants, check this one only.")
@json_option
@with_appcontext
def doctor_command(tenant_id: str | None, as_json: bool) -> None:
    """Check the app, its data and Activepieces; each finding with what was seen, why it matters and the remedy.

    Calls the app at its public URL, the database and Activepieces, and changes nothing. Exit code 1 if a finding
    breaks something; warnings alone are 0.
    """
    subject = Subject(app=current_app._get_current_object(), tenant_id=tenant_id)  # type: ignore[attr-defined]  # a proxy
    if tenant_id is not None and not _is_known(tenant_id):
        raise click.UsageError(f"Tenant {tenant_id!r} has no integration, client, grant or token here.")
    with _notices(is_shown=sys.stderr.isatty() and not as_json) as begin:
        # Errors first; within a level, in the order of the checks.
        findings = sorted(examine(subject, begin), key=lambda finding: not finding.breaks_something)
    is_healthy = not any(finding.breaks_something for finding in findings)
    document = {"healthy": is_healthy, "findings": [finding.to_json() for finding in findings]}
    print_result(document, *_lines(findings), as_json=as_json)
    if not is_healthy:
        raise SystemExit(1)


def _is_known(tenant_id: str) -> bool:
    try:
        return has_tenant(get_state().database, tenant_id)
    except (Unavailable, SetupError):
        return True  # a finding says what is wrong with the database


@contextmanager
def _notices(*, is_shown: bool) -> Iterator[Callable[[str], None]]:
    """A function that says what is being examined, if that takes longer than two seconds."""
    timers: list[Timer] = []

    def begin(what: str) -> None:
        for timer in timers:
            timer.cancel()
        if is_shown:
            timers[:] = [Timer(_PATIENCE, click.echo, [f"Examining {what} …"], {"err": True})]
            timers[0].start()

    try:
        yield begin
    finally:
        for timer in timers:
            timer.cancel()


def _lines(findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        yield "No problems found."
        return
    for finding in findings:
        tenant = f" (tenant {finding.tenant_id})" if finding.tenant_id is not None else ""
        yield f"{finding.kind.level.capitalize()}: {finding.kind.code}{tenant}"
        for label, text in zip(_LABELS, (finding.seen, finding.kind.why, finding.remedy), strict=True):
            yield from _wrapped(label, text)
        yield ""
    errors = sum(finding.breaks_something for finding in findings)
    yield f"Found {counted(errors, 'error')} and {counted(len(findings) - errors, 'warning')}."


def _wrapped(label: str, text: str) -> Iterator[str]:
    """The text in lines that fit a terminal, below its label; an error of the app may have several lines."""
    indent = " " * 10
    for number, paragraph in enumerate(text.splitlines()):
        first = f"  {label + ':':<8}" if number == 0 else indent
        # A URL or an id stays in one piece, so that it can be copied.
        yield from textwrap.wrap(
            printable(paragraph),
            _WIDTH,
            initial_indent=first,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
