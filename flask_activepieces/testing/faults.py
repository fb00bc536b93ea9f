"""What the stand-in can be told to do wrong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Faults:
    """Filled in below: slow, fail, lose_answer, reset, cut_body, rubbish."""
