"""The colors of our pages for an accent color, in both color schemes.

An accent that is hard to read on our backgrounds is made darker or lighter, until its contrast is what WCAG 2.2 asks
of text: 4.5 to 1 (1.4.3, AA).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

#: For text of normal size.
_READABLE = 4.5
#: In how many steps a color becomes black or white.
_STEPS = 50

_Color = tuple[float, float, float]
_BLACK: _Color = (0, 0, 0)
_WHITE: _Color = (255, 255, 255)


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """A color scheme: the backgrounds in ``activepieces.css``, and what makes an accent readable on them."""

    surface: str
    backdrop: str
    #: Where an accent is moved until it can be read, and where it goes when the pointer is on it.
    contrast: _Color
    #: Text on a background of the accent.
    on_accent: str
    #: How much of the accent is in the background of a ticked box.
    soft: float


LIGHT = Scheme(surface="#ffffff", backdrop="#f4f5f8", contrast=_BLACK, on_accent="#ffffff", soft=0.08)
DARK = Scheme(surface="#1b1f29", backdrop="#12151c", contrast=_WHITE, on_accent="#12151c", soft=0.14)


def palette(accent: str, scheme: Scheme) -> Mapping[str, str]:
    """The custom properties that depend on the accent, by name without ``--ap-``."""
    surface, backdrop = _parse(scheme.surface), _parse(scheme.backdrop)
    readable = _parse(accent)
    for step in range(_STEPS + 1):
        readable = _mix(_parse(accent), scheme.contrast, step / _STEPS)
        if _is_readable(readable, (surface, backdrop, _mix(surface, readable, scheme.soft))):
            break
    return {
        "accent": _format(readable),
        "accent-strong": _format(_mix(readable, scheme.contrast, 0.25)),
        "accent-soft": _format(_mix(surface, readable, scheme.soft)),
        "on-accent": scheme.on_accent,
    }


def contrast_ratio(first: str, second: str) -> float:
    """The contrast of two colors, from 1 to 21 (WCAG 2.2)."""
    return _contrast(_parse(first), _parse(second))


def _is_readable(color: _Color, backgrounds: Sequence[_Color]) -> bool:
    return all(_contrast(color, background) >= _READABLE for background in backgrounds)


def _contrast(first: _Color, second: _Color) -> float:
    darker, lighter = sorted((_luminance(first), _luminance(second)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: _Color) -> float:
    red, green, blue = (_linear(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _mix(first: _Color, second: _Color, share: float) -> _Color:
    # Rounded, so that what is measured is what is written.
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def _parse(color: str) -> _Color:
    red, green, blue = (int(color[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue


def _format(color: _Color) -> str:
    return "#" + "".join(f"{int(part):02x}" for part in color)
