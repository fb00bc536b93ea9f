"""Questions to the operator, and the option that answers them in advance."""

from __future__ import annotations

import click

yes_option = click.option("--yes", is_flag=True, help="Confirm without being asked.")


class NotConfirmed(click.ClickException):
    """Raised when the operator says no, or when there is nobody to ask."""


def confirm(question: str, *, yes: bool, as_json: bool = False) -> None:
    """Return if the operator agrees; a script, which cannot be asked, must say ``--yes``."""
    if yes:
        return
    if not as_json:
        try:
            # On standard error, so that standard output has the result only.
            click.confirm(question, abort=True, err=True)
        except click.Abort:
            click.echo(err=True)  # the question has no line end when nobody answered it
        else:
            return
    raise NotConfirmed(f"Nothing was done. {question} Use --yes to confirm.")
