"""What happens in the app when an agent calls a tool, or reads the samples of a trigger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Response, current_app
from marshmallow import Schema
from werkzeug.exceptions import HTTPException

from ...mcp.call_log import Outcome
from ...mcp.json_rpc import INTERNAL_ERROR, INVALID_PARAMS, RpcError
from ...mcp.results import Result, error_result, shortened, tool_result
from ...mcp.tools import Tool
from ...oauth.tokens.access_tokens import AccessToken
from ...pieces.declarations import Trigger
from ...state import State
from ..api.operations import load
from ..bearer import TokenRejected
from ..piece.actions import run_function
from ..piece.base import problem_of
from ..piece.triggers import newest_samples
from ..repeated_calls import rollback
from .access import check_scopes, scopes_required_by
from .files import with_files
from .view_calls import ViewRejected, call_view, sentence_of

#: A sentence for people is not longer; what is, may be a page or a trace.
LONGEST_SENTENCE = 1000
_NO_INPUT = Schema()


@dataclass(frozen=True)
class Agent:
    """Whose token calls; see `mcp.server.Caller`."""

    state: State
    token: AccessToken

    @property
    def scopes(self) -> frozenset[str]:
        """The scopes of the token."""
        return self.token.scopes

    def call_tool(self, tool: Tool, arguments: Mapping[str, Any]) -> Result:
        """The result of the tool; an error is a sentence for the agent.

        `TokenRejected` if the action finds that the token lacks a scope.
        """
        outcome: Outcome = "succeeded"
        try:
            output = _run(tool, arguments, self.token)
            result = tool_result(output, schema=tool.action.output, dumps=current_app.json.dumps)
        except Exception as error:
            rollback()
            try:
                self._check_scopes(error)
            except TokenRejected:
                self.state.tool_calls.record(self.token, tool.name, "denied")
                raise
            status, sentence = _explained(error)
            outcome, result = "failed" if status >= 500 else "rejected", error_result(sentence)
        self.state.tool_calls.record(self.token, tool.name, outcome)
        return result

    def read_samples(self, trigger: Trigger, inputs: Mapping[str, str]) -> tuple[str, list[str]]:
        """The newest events as JSON, and a note if it is not complete."""
        try:
            return shortened(newest_samples(trigger, dict(inputs), self.token), current_app.json.dumps)
        except Exception as error:
            rollback()
            self._check_scopes(error)
            status, sentence = _explained(error)
            raise RpcError(INTERNAL_ERROR if status >= 500 else INVALID_PARAMS, sentence) from None

    def _check_scopes(self, error: Exception) -> None:
        """`TokenRejected` if the error is that the token lacks a scope."""
        response = _response_of(error)
        if response is not None:
            check_scopes(self.token, scopes_required_by(response, self.state))


def _run(tool: Tool, arguments: Mapping[str, Any], token: AccessToken) -> Any:
    raw = with_files(tool.action.input, arguments)
    inputs = load(tool.action.input or _NO_INPUT, raw) if tool.action.input or raw else {}
    if tool.route is not None:
        # The view reads what was sent, not what this schema made of it.
        return call_view(tool.route, raw, token)
    return run_function(tool.action, inputs)


def _explained(error: Exception) -> tuple[int, str]:
    """The status and the sentence of an error."""
    response = _response_of(error)
    if response is not None:
        return response.status_code, sentence_of(response)[:LONGEST_SENTENCE]
    problem = problem_of(error)
    return problem.status, problem.detail[:LONGEST_SENTENCE]


def _response_of(error: Exception) -> Response | None:
    """The response that the action made; None for any other error."""
    match error:
        case ViewRejected(response=response) | HTTPException(response=Response() as response):
            return response
    return None
