"""The consent page: what the user can choose, what is remembered, and `prompt=none`."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask
from sqlalchemy import text

from flask_activepieces import Principal, Workspace
from tests.conftest import MakeApp
from tests.support.actors import Person, Program, answer_of, brought_back
from tests.support.error_assertions import assert_error_redirect, assert_not_frameable, assert_nothing_stored
from tests.support.hosts import ALL_SCOPES, SmallHost
from tests.support.pages import Page
from tests.support.storage import engine_of, row_counts, rows_of


def scope_of(program: Program, code: str) -> str:
    scope = answer_of(program.redeems(code))["scope"]
    assert isinstance(scope, str)
    return scope


def test_the_page_names_the_app_the_scopes_and_the_destination(program: Program, bob: Person) -> None:
    page = bob.sees(program.question())

    for part in ("Program", "Bob", "Acme", "See tasks", "Change tasks", "program.test"):
        assert part in page.text
    assert_not_frameable(page.response)


def test_the_pages_policy_does_not_restrict_the_clients_redirects(program: Program, bob: Person) -> None:
    """Browsers apply form-action to every further redirect, and a client's callback may redirect to another host."""
    consent = bob.opens(program.question()).headers["Content-Security-Policy"]
    other = bob.opens("/oauth/connected-apps").headers["Content-Security-Policy"]

    assert "form-action" not in consent
    assert "base-uri 'none'" in consent
    assert "form-action 'self'" in other


def test_opening_the_page_stores_nothing(app: Flask, program: Program, bob: Person) -> None:
    with assert_nothing_stored(app):
        bob.opens(program.question())


def test_denying_redirects_with_the_state_and_stores_no_grant(app: Flask, program: Program, bob: Person) -> None:
    answer = bob.sends(bob.sees(program.question()).form("decision"), decision="deny")

    assert_error_redirect(answer, "access_denied")
    assert row_counts(app) == {"oauth_clients": 1, "audit_events": 2}
    assert rows_of(app, "audit_events")[-1]["name"] == "grant.denied"


def test_a_denial_is_not_remembered(program: Program, bob: Person) -> None:
    bob.answers(program.question(), "deny")

    assert bob.opens(program.question()).status_code == 200


def test_optional_scopes_can_be_unticked_and_required_ones_cannot(program: Program, bob: Person) -> None:
    code = bob.allows(program.question(), scope=["tasks:read"])

    assert scope_of(program, code) == "profile:read tasks:read"


def test_approving_without_any_scope_is_refused(app: Flask, program: Program, bob: Person) -> None:
    form = bob.sees(program.question(scope="tasks:read")).form("decision")

    with assert_nothing_stored(app):
        response = bob.sends(form, decision="approve", scope=[])

    assert response.status_code == 422
    assert_not_frameable(response)


def test_a_refused_answer_keeps_the_users_scopes(program: Program, bob: Person) -> None:
    form = bob.sees(program.question(scope="tasks:read tasks:write")).form("decision")

    page = Page(bob.sends(form, decision="approve", scope=[]))

    assert "Select at least one permission" in page.text
    assert "scope" not in page.form("decision").values


def test_a_refused_answer_keeps_the_users_workspace(program: Program, alice: Person) -> None:
    form = alice.sees(program.question()).form("decision")

    page = Page(alice.sends(form, decision="", workspace="acme-labs", scope=["tasks:write"]))

    kept_values = page.form("decision").values
    assert (kept_values["workspace"], kept_values["scope"]) == ("acme-labs", ["profile:read", "tasks:write"])


def test_an_answer_without_a_valid_decision_stores_nothing(app: Flask, program: Program, bob: Person) -> None:
    form = bob.sees(program.question()).form("decision")

    with assert_nothing_stored(app):
        assert bob.sends(form).status_code == 422
        for decision in ("", "yes", "APPROVE"):
            assert bob.sends(form, decision=decision).status_code == 422


def test_the_token_is_for_the_workspace_that_the_user_chose(program: Program, alice: Person) -> None:
    acme = program.connects(alice, workspace="acme")
    labs = program.connects(alice, workspace="acme-labs")

    assert program.calls(acme["access_token"]).get_json()["tenant_id"] == "acme"
    assert program.calls(labs["access_token"]).get_json()["tenant_id"] == "acme-labs"


def test_a_tenants_client_is_offered_only_that_tenant(app: Flask, alice: Person) -> None:
    program = Program.registered(app, "--tenant", "acme-labs")

    page = alice.sees(program.question())
    tokens = program.connects(alice)

    assert page.form("workspace").values["workspace"] == "acme-labs"
    assert program.calls(tokens["access_token"]).get_json()["tenant_id"] == "acme-labs"


def test_a_tenants_client_is_refused_for_users_of_another_tenant(app: Flask, carol: Person) -> None:
    program = Program.registered(app, "--tenant", "acme")

    with assert_nothing_stored(app):
        assert_error_redirect(carol.opens(program.question()), "access_denied")


def test_an_approval_of_a_trusted_client_is_remembered(trusted: Program, bob: Person) -> None:
    bob.answers(trusted.question())

    redirect = brought_back(bob.opens(trusted.question()))

    assert redirect["state"] == "a state"
    assert scope_of(trusted, redirect["code"]) == ALL_SCOPES


def test_an_approval_is_not_remembered_unless_an_operator_allows_it(program: Program, bob: Person) -> None:
    """Any site can open this URL in a popup, and some callback pages hand the code to their opener."""
    bob.answers(program.question())

    assert bob.opens(program.question()).status_code == 200
    assert_error_redirect(bob.opens(program.question(prompt="none")), "consent_required")


def test_an_activepieces_redirect_page_always_needs_the_consent_page(app: Flask, bob: Person) -> None:
    """Even if both settings were stored concurrently, so that neither check saw the other's value."""
    program = Program.registered(app, redirect_uri="https://ap.test/redirect")
    with engine_of(app).begin() as conn:
        conn.execute(text("UPDATE activepieces_oauth_clients SET remember_consent = true"))
    bob.answers(program.question())

    assert bob.opens(program.question()).status_code == 200
    assert_error_redirect(bob.opens(program.question(prompt="none")), "consent_required", to=program.redirect_uri)


def test_a_request_for_more_scopes_than_remembered_asks_again(trusted: Program, bob: Person) -> None:
    bob.answers(trusted.question(scope="tasks:read"))

    assert bob.opens(trusted.question(scope="tasks:read")).status_code == 303
    assert bob.opens(trusted.question(scope="tasks:read tasks:write")).status_code == 200


def test_a_request_for_fewer_scopes_keeps_the_remembered_ones(trusted: Program, bob: Person) -> None:
    bob.answers(trusted.question())

    assert bob.opens(trusted.question(scope="tasks:read")).status_code == 303
    assert bob.opens(trusted.question()).status_code == 303


def test_using_a_remembered_approval_stores_nothing(app: Flask, trusted: Program, bob: Person) -> None:
    """Any site can send a browser here any number of times."""
    bob.answers(trusted.question())

    with assert_nothing_stored(app):
        assert bob.opens(trusted.question()).status_code == 303


def test_every_prompt_but_none_shows_the_consent_page(trusted: Program, bob: Person) -> None:
    bob.answers(trusted.question())

    for prompt in ("consent", "login", "select_account", "login consent"):
        assert bob.opens(trusted.question(prompt=prompt)).status_code == 200


def test_an_approval_is_remembered_only_for_its_user(trusted: Program, alice: Person, bob: Person) -> None:
    bob.answers(trusted.question())

    assert alice.opens(trusted.question()).status_code == 200


def test_an_approval_of_a_user_with_several_workspaces_is_not_remembered(trusted: Program, alice: Person) -> None:
    """The user must choose the workspace each time."""
    alice.answers(trusted.question(), workspace="acme")

    assert alice.opens(trusted.question()).status_code == 200
    assert_error_redirect(alice.opens(trusted.question(prompt="none")), "consent_required")


class HostWithOneOrganization(SmallHost):
    """Each user has one workspace, which is an organization."""

    organization = "labs"

    def workspaces(self, principal: Principal) -> Sequence[Workspace]:
        return [Workspace("acme", self.organization.title(), self.organization)]


def test_an_approval_for_one_organization_is_not_remembered_for_another(make_app: MakeApp) -> None:
    host = HostWithOneOrganization()
    app = make_app(host=host)
    bob, trusted = Person(app, "bob"), Program.registered(app, "--remember-consent")
    bob.allows(trusted.question())
    assert bob.opens(trusted.question()).status_code == 303

    host.organization = "sales"

    assert "Sales" in bob.sees(trusted.question()).text
    assert bob.opens(trusted.question()).status_code == 200


def test_an_approval_of_a_public_client_is_not_remembered(app: Flask, bob: Person) -> None:
    """RFC 8252 §8.6: anyone can impersonate a public client."""
    program = Program.registered(app, "--public")
    bob.answers(program.question())

    assert bob.opens(program.question()).status_code == 200
    assert_error_redirect(bob.opens(program.question(prompt="none")), "consent_required")


def test_a_disconnected_client_needs_a_new_approval(trusted: Program, bob: Person) -> None:
    bob.answers(trusted.question())
    bob.sends(bob.sees("/oauth/connected-apps").form_to("/disconnect"))

    assert bob.opens(trusted.question()).status_code == 200


def test_prompt_none_never_shows_a_page(app: Flask, trusted: Program, bob: Person) -> None:
    question = trusted.question(prompt="none")

    with assert_nothing_stored(app):
        assert_error_redirect(Person(app).opens(question), "login_required")
        assert_error_redirect(bob.opens(question), "consent_required")
    bob.answers(trusted.question())

    assert "code" in brought_back(bob.opens(question))


def test_the_hosts_consent_page_reads_and_answers_the_request(make_app: MakeApp) -> None:
    app = make_app(
        ACTIVEPIECES_PUBLIC_URL="http://localhost", ACTIVEPIECES_CONSENT_URL="http://localhost/consent?lang=en"
    )
    program, bob = Program.registered(app), Person(app, "bob")

    sent = bob.opens(program.question())
    request_id = brought_back(sent)["request_id"]
    described = answer_of(bob.opens(f"/oauth/authorize/request/{request_id}"))
    answer = {
        "request_id": request_id,
        "consent_token": described["consent_token"],
        "decision": "approve",
        "scope": "tasks:read",
    }
    decided = answer_of(bob.browser.post("/oauth/authorize", json=answer))

    assert sent.location.startswith("http://localhost/consent?lang=en&request_id=")
    assert described["client"]["name"] == "Program"
    assert [workspace["tenant_id"] for workspace in described["workspaces"]] == ["acme"]
    code = decided["redirect_url"].split("code=")[1].split("&")[0]
    assert scope_of(program, code) == "profile:read tasks:read"
