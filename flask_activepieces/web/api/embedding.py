"""The JSON API for the embedded builder, for apps that render their pages in the browser."""

from __future__ import annotations

from typing import Any

from ...integrations.embedding.builder import EmbeddedBuilder
from .answers import CamelAnswerSchema, Instant, fields_of
from .operations import Operation, OperationContext


class BuilderSchema(CamelAnswerSchema):
    """What a page needs to show the builder with Activepieces' embedding SDK."""

    class Meta:
        include = fields_of(
            EmbeddedBuilder,
            "instance_url sdk_url",
            token="signs this user in: the SDK's `jwtToken`",  # noqa: S106  # a description
        )

    expires_at = Instant()


@Operation("view", answer=BuilderSchema())
def open_builder(context: OperationContext) -> Any:
    """Sign the caller in to the builder; makes them a member of the project."""
    return context.state.tenants.embedding.builder(context.integration, context.principal)
