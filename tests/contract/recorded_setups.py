"""The unrecorded setup before each recording."""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.token_endpoint import Reply

from .recording_setup import (
    a_connection,
    a_flow,
    a_project,
    a_signing_key,
    all_runs_are_over,
    an_invited_viewer,
    an_oauth_connection,
    as_the_admin,
    at,
    changed,
    done,
    endpoint_replies,
    endpoint_stops,
    in_order,
    in_project,
    in_the_project_of_another,
    is_active,
    looks_old,
    more_rows_of_that_second,
    one_row_a_second,
    plan_is_empty,
    plan_is_full,
    private_hosts_are_blocked,
    the_deletion_is_over,
    the_endpoint_is_back,
)
from .replay import Setup

#: Corrections of a request that was not recorded as it was sent: (recorded, sent).
CORRECTIONS = {"flow op ADD_ACTION using a connection": ("connections['rs']", "connections['c-secret']")}

_PUBLISH = {"type": "LOCK_AND_PUBLISH", "request": {}}
_CATCH_WEBHOOK = {
    "type": "PIECE_TRIGGER",
    "name": "trigger",
    "displayName": "Catch webhook",
    "valid": True,
    "settings": {
        "pieceName": "@activepieces/piece-webhook",
        "pieceVersion": "~0.1.34",
        "triggerName": "catch_webhook",
        "input": {"authType": "none", "authFields": {}},
        "propertySettings": {},
    },
}
_WHO_AM_I = {
    "type": "PIECE",
    "name": "step_1",
    "displayName": "Who am I",
    "valid": True,
    "settings": {
        "pieceName": "@activepieces/piece-acme-secret",
        "pieceVersion": "0.1.0",
        "actionName": "whoami",
        "input": {"auth": "{{connections['rs']}}", "note": "hi"},
        "propertySettings": {},
        "errorHandlingOptions": {},
    },
}
_ECHO = {
    "type": "PIECE",
    "name": "step_1",
    "displayName": "step_1",
    "valid": True,
    "settings": {
        "pieceName": "@activepieces/piece-webhook",
        "pieceVersion": "0.1.34",
        "actionName": "return_response",
        "input": {
            "respond": "stop",
            "responseType": "json",
            "fields": {"status": 200, "headers": {}, "body": {"trigger": "{{trigger['output']}}"}},
        },
        "propertySettings": {},
        "errorHandlingOptions": {},
    },
}
_DEAD = Reply({"error": "invalid_grant"}, status=400)
_LIFE_AS_TEXT = Reply({"access_token": "at", "token_type": "Bearer", "expires_in": "3600", "refresh_token": "rt"})
_BROKEN = Reply({"error": "server_error"}, status=500)

#: 0.85.2, enterprise edition.
MAIN: Mapping[str, Setup] = {
    "flags": plan_is_empty,
    "platform get": plan_is_full,
    "conn spaced (one row per second) page 0": one_row_a_second,
    "conn replace (api key)": a_connection("QBsRSk2Tdgg280l2N64o1", "rep-b"),
    "OAUTH2 code exchange, authorization_method HEADER": an_oauth_connection(
        "o-body", code_challenge="verifier-43-chars-aaaaaaaaaaaaaaaaaaaaaaaaaaa"
    ),
    "OAUTH2 client_credentials BODY with token response lacking refresh_token": endpoint_replies(
        Reply({"access_token": "cc-at", "token_type": "bearer", "expires_in": 1000})
    ),
    "OAUTH2 minimal answer {access_token}": endpoint_replies(Reply({"access_token": "only"})),
    "OAUTH2 answer without access_token (200 {})": endpoint_replies(Reply({})),
    "OAUTH2 answer HTML 200": endpoint_replies(Reply(text="<html>login</html>")),
    "OAUTH2 answer 200 with error (GitHub/Slack style)": endpoint_replies(Reply({"error": "bad_verification_code"})),
    "OAUTH2 error 400 invalid_grant": endpoint_replies(
        Reply({"error": "invalid_grant", "error_description": "The authorization code is expired."}, status=400)
    ),
    "OAUTH2 error 400 without error_description": endpoint_replies(_DEAD),
    "OAUTH2 error 401 invalid_client": endpoint_replies(
        Reply({"error": "invalid_client", "error_description": "Client authentication failed"}, status=401)
    ),
    "OAUTH2 error 400 non-JSON": endpoint_replies(Reply(text="bad", status=400)),
    "OAUTH2 error 400 JSON null body": endpoint_replies(Reply(None, status=400)),
    "OAUTH2 error 302 redirect": endpoint_replies(Reply(status=302, location="/other")),
    "OAUTH2 error 307 redirect": endpoint_replies(Reply(status=307, location="/other")),
    "OAUTH2 error 500 x4 (retries)": endpoint_replies(_BROKEN, _BROKEN, _BROKEN, _BROKEN),
    "OAUTH2 error 503 then 200 (retry success)": endpoint_replies(Reply({}, status=503)),
    "OAUTH2 error 429": endpoint_replies(Reply({"error_description": "slow"}, status=429)),
    # The engine's reads, and responses of token endpoints to a refresh.
    "refresh BODY": in_order(at(1795198710), looks_old("o-body")),
    "refresh HEADER": looks_old("o-head"),
    "refresh answer without refresh_token keeps the old one": looks_old(
        "o-body", Reply({"access_token": "new-at", "token_type": "Bearer", "expires_in": 3600})
    ),
    "refresh answer {access_token} only": looks_old("o-body", Reply({"access_token": "new-at2"})),
    "refresh answer with a new scope and extra data": looks_old(
        "o-body",
        Reply(
            {"access_token": "new-at3", "refresh_token": "rt-new3", "expires_in": 50, "scope": "read", "foo": "bar"}
        ),
    ),
    "refresh 400 invalid_grant": looks_old("o-body", _DEAD),
    "refresh 401 invalid_client": looks_old("o-head", Reply({"error": "invalid_client"}, status=401)),
    "refresh 500s": in_order(looks_old("o-head"), endpoint_replies(*[_BROKEN] * 4)),
    "refresh when there is no refresh_token": in_order(at(1795198717), looks_old("o-min")),
    "refresh client_credentials": looks_old("o-cc"),
    "refresh client_credentials BODY": in_order(at(1795198718), looks_old("o-cc2")),
    "refresh of connection without expires_in (assumes 3600)": in_order(
        looks_old("o-body", expires_in=None), is_active("o-body")
    ),
    "PLATFORM_OAUTH2 refresh": looks_old("o-plat"),
    "global delete again": done("DELETE", "/global-connections/YNqKZONsAiTeeZlPVGSHe"),
    "flow get after publish": done("POST", "/flows/cpvPVr5DiCc2VSZ4HaDTa", _PUBLISH),
    "flow publish again": done(
        "POST", "/flows/cpvPVr5DiCc2VSZ4HaDTa", {"type": "UPDATE_ACTION", "request": _WHO_AM_I}
    ),
    "flow get deleted": the_deletion_is_over,
    "flow-runs filters": all_runs_are_over,
    "conn replace with a published flow (api key)": a_connection("E83NRYlMLcMhYlr79smLE", "rt"),
    "flow delete": a_flow("ZgwOefQJ2TLfCjRqcc2jY"),
    "conn replace with a published flow (user JWT)": in_order(
        done("POST", "/flows/T841UUljUVKBMnU9E58Jc", {"type": "UPDATE_TRIGGER", "request": _CATCH_WEBHOOK}),
        done(
            "POST",
            "/flows/T841UUljUVKBMnU9E58Jc",
            {"type": "ADD_ACTION", "request": {"parentStep": "trigger", "action": _WHO_AM_I}},
        ),
        done("POST", "/flows/T841UUljUVKBMnU9E58Jc", _PUBLISH),
    ),
    "member: projects": an_invited_viewer,
    "managed-authn: docs example role EDITOR": at(1795198731),
    "embed user: projects": in_the_project_of_another,
    "mcp: rotate": done(
        "POST", "/projects/H4SMHoAgJs8TNlXiaOIoV/mcp-server", {"disabledTools": ["nope"]}, by_user=True
    ),
    "engine reads a connection whose token endpoint returned expires_in as a STRING, 25 h later": in_order(
        an_oauth_connection("o-expstr", _LIFE_AS_TEXT), at(1795198733), changed("o-expstr", claimed_at=1795108733)
    ),
    "OAUTH2 token endpoint down (connection refused)": endpoint_stops,
    "SSRF filter on: refresh with a loopback token_url (engine read)": in_order(
        at(1795198741), the_endpoint_is_back, changed("o-grant", claimed_at=1795189741), private_hosts_are_blocked
    ),
}

#: The same with a worker, which runs the pieces' checks and flows.
WORKER: Mapping[str, Setup] = {
    "[worker] upsert SECRET_TEXT accepted by the piece validate()": in_project("QhhIYmaZs4xpmhPiRWY63"),
    "[worker] ADD step_1": done(
        "POST", "/flows/sgQn6dhXRwtVJ9aO9OMkV", {"type": "UPDATE_TRIGGER", "request": _CATCH_WEBHOOK}
    ),
    "[worker] webhook async": in_order(
        at(1795199542.958),
        endpoint_replies(
            Reply(
                text='{"access_token": "at-63ccbce7", "token_type": "Bearer", "expires_in": 3600,'
                ' "refresh_token": "rt-6b8fd60b", "scope": "read write"}'
            )
        ),
    ),
    "[worker] flow-runs list": all_runs_are_over,
    "[worker] webhook sync with an expired token (refresh happens in the run)": in_order(
        at(1795199546.1),
        looks_old(
            "w-oauth",
            Reply(
                {"access_token": "fresh-at", "expires_in": 3600, "refresh_token": "fresh-rt", "token_type": "Bearer"}
            ),
        ),
    ),
    "[worker] connection list ERROR": in_order(
        at(1795199546.452),
        looks_old("w-oauth", _DEAD),
        done("POST", "/webhooks/sgQn6dhXRwtVJ9aO9OMkV", {"hello": "refused"}),
        all_runs_are_over,
    ),
    "[worker] reconnect": at(1795199577),
    "[worker] upsert a connection of the installed piece, refused": endpoint_replies(
        Reply({"detail": "API key must start with ok-"}, status=400)
    ),
    "[worker] webhook sync, connection deleted": in_order(at(1795199577.096), endpoint_replies(Reply({"me": "ada"}))),
    "[worker] publish echo flow": in_order(
        a_flow("kSuagqaACtukpNNAof9fe", name="Echo", project_id="QhhIYmaZs4xpmhPiRWY63"),
        done("POST", "/flows/kSuagqaACtukpNNAof9fe", {"type": "UPDATE_TRIGGER", "request": _CATCH_WEBHOOK}),
        done(
            "POST",
            "/flows/kSuagqaACtukpNNAof9fe",
            {"type": "ADD_ACTION", "request": {"parentStep": "trigger", "action": _ECHO}},
        ),
    ),
}

#: In prod, with no worker running.
NO_WORKER: Mapping[str, Setup] = {
    "[prod env, no worker running] upsert SECRET_TEXT": in_project("J5SpOQiolUkPwuHGq3Cdf")
}


#: 0.85.2 again, another day.
ANOTHER_DAY: Mapping[str, Setup] = {
    "mcp: project mcp-server (current token)": in_order(
        in_project("ymOOq3LPphso52Op0aZsS"), as_the_admin, a_signing_key("mUlofr0Vy6EnjdwM1DvO5")
    ),
    "conn list displayName underscore is a wildcard": done(
        "POST", "/app-connections/A3Va4NTDecy9xlRf6kJtF", {"displayName": "one"}
    ),
}


#: 0.78.2.
OLD: Mapping[str, Setup] = {
    "[0.78.2] no token": plan_is_empty,
    "[0.78.2] api-keys create": plan_is_full,
    "[0.78.2] projects create same externalId": a_project("h3kUN4bpL90lVEmp9h414", "tenant-1"),
    "[0.78.2] burst page 0": more_rows_of_that_second,
    "[0.78.2] OAUTH2 error": endpoint_replies(Reply({"error_description": "expired code"}, status=400)),
}
