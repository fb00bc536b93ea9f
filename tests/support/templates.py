"""Caches compiled templates for all apps of a test run: compiling took a third of the time of a small test."""

from __future__ import annotations

from types import CodeType

from jinja2.bccache import Bucket, BytecodeCache


class CompiledTemplates(BytecodeCache):
    """A cache in memory. The checksum detects that the source of a template has changed."""

    def __init__(self) -> None:
        self._compiled: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._compiled.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        assert bucket.code is not None, "Jinja has just compiled it"
        self._compiled[bucket.key, bucket.checksum] = bucket.code


COMPILED = CompiledTemplates()
