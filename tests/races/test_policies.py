"""An admin forbids agents while users approve one: no approval survives."""

from __future__ import annotations

from tests.support.actors import CALLBACK, Program, answer_of
from tests.support.prepared_requests import PreparedRequest, by_browser, submission
from tests.support.race_environment import RaceEnvironment
from tests.support.storage import rows_of

PATH = "/api/integration/activepieces/client-policy"


def test_no_approval_survives_the_decision(environment: RaceEnvironment) -> None:
    app = environment.app
    alice, bob = environment.person("alice"), environment.person()

    for _ in range(environment.rounds):
        metadata = {"client_name": "Robin", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none"}
        made = answer_of(app.test_client().post("/oauth/register", json=metadata), 201)
        robin = Program(app, made["client_id"], None)
        forms = [bob.sees(robin.question()).form("decision") for _ in range(10)]
        cookie = by_browser(alice, "PUT", PATH).headers
        decision = PreparedRequest("PUT", PATH, headers=cookie, json={"mode": "none"})

        approvals = [submission(bob, form, decision="approve") for form in forms]
        answers = environment.send_together([*approvals[:5], decision, *approvals[5:]])

        assert answers[5].status == 200
        assert {answer.status for answer in answers} <= {200, 303, 403}
        assert [row for row in rows_of(app, "grants") if row["client_id"] == robin.client_id] == []
        for answer in answers:
            if answer.status == 303:
                code = answer.headers["Location"].partition("code=")[2].partition("&")[0]
                assert robin.redeems(code).status_code == 400
        assert alice.browser.put(PATH, json={"mode": "all"}).status_code == 200
