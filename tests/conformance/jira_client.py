"""Drives both Jira fakes with the PyPI client and checks that the client understands them.

Usage: jira_client.py cloud|server BASE_URL, with a fake that holds 230 issues of the project DEMO, of which DEMO-1
was moved to OPS-1, and that takes scripts under /_fake/. Runs with jira 3.10.5.
"""

import json
import sys
import urllib.parse
import urllib.request

from jira import JIRA
from jira import __version__ as client_version
from jira.exceptions import JIRAError

FLAVOUR, BASE = sys.argv[1:3]
IS_CLOUD = FLAVOUR == "cloud"
ORIGIN = "http://" + urllib.parse.urlparse(BASE).netloc
QUESTION = 'project in ("DEMO", "OPS") AND updated >= 946684800000 ORDER BY updated ASC, key ASC'


def script(*cues):
    request = urllib.request.Request(ORIGIN + "/_fake/script", json.dumps(cues).encode(), method="POST")
    urllib.request.urlopen(request).read()


def client(token="good-token"):
    proof = {"basic_auth": ("ann@example.com", token)} if IS_CLOUD else {"token_auth": token}
    return JIRA(server=BASE, max_retries=0, **proof)


def refusal(action):
    try:
        action()
    except JIRAError as error:
        return error
    raise AssertionError("the call was not refused")


def the_server_says_what_it_is():
    assert CLIENT._is_cloud == IS_CLOUD
    assert CLIENT.server_info()["deploymentType"] == ("Cloud" if IS_CLOUD else "Server")


def who_we_are_is_told():
    assert CLIENT.myself()["displayName"] == "Ann Drake"


def all_pages_are_read():
    issues = CLIENT.search_issues(QUESTION, maxResults=False, fields="summary,updated,status")
    assert len(issues) == 230 and len({issue.id for issue in issues}) == 230, len(issues)
    assert issues[0].fields.summary.startswith("Issue number"), issues[0].raw
    assert issues[0].fields.status.statusCategory.key == "new"


def a_page_goes_on_where_the_last_one_ended():
    if IS_CLOUD:
        first = CLIENT.enhanced_search_issues(QUESTION, maxResults=100, fields="updated")
        second = CLIENT.enhanced_search_issues(QUESTION, maxResults=100, fields="updated", nextPageToken=first.nextPageToken)
        assert CLIENT.approximate_issue_count(QUESTION) == 230
    else:
        first = CLIENT.search_issues(QUESTION, startAt=0, maxResults=100, fields="updated")
        second = CLIENT.search_issues(QUESTION, startAt=100, maxResults=100, fields="updated")
        assert first.total == 230
    assert len(first) == len(second) == 100 and not {i.id for i in first} & {i.id for i in second}


def a_search_can_be_posted():
    search = CLIENT.enhanced_search_issues if IS_CLOUD else CLIENT.search_issues
    assert len(search('project = "OPS" AND updated >= "-90d"', use_post=True)) == 1


def an_old_key_leads_to_the_issue():
    issue = CLIENT.issue("DEMO-1")
    assert issue.key == "OPS-1" and CLIENT.issue(issue.id).key == "OPS-1"
    assert "Acceptance criteria" in json.dumps(issue.raw["fields"]["description"])
    assert refusal(lambda: CLIENT.issue("DEMO-9999")).status_code == 404


def questions_are_looked_at():
    assert refusal(lambda: CLIENT.search_issues('colour = "red"')).status_code == 400
    assert refusal(lambda: CLIENT.search_issues('project = "DEMO')).status_code == 400
    if IS_CLOUD:
        error = refusal(lambda: CLIENT.search_issues("ORDER BY updated"))
        assert error.status_code == 400 and "Unbounded" in error.text, error


def the_old_search_is_gone_from_the_cloud():
    if IS_CLOUD:
        for version in ("2", "3"):
            address = f"{BASE}/rest/api/{version}/search"
            error = refusal(lambda: CLIENT._session.get(address, params={"jql": QUESTION}))
            assert error.status_code == 410 and "search/jql" in error.text, error


def tokens_are_looked_at():
    assert refusal(lambda: client("bad-token").myself()).status_code == 401


def refusals_are_understood():
    for status in (400, 403, 404, 500):
        script({"status": status, "message": "Sorry."})
        error = refusal(CLIENT.myself)
        assert error.status_code == status and "Sorry." in error.text, error


CLIENT = client()
CHECKS = [check for name, check in list(globals().items()) if "_" in name and getattr(check, "__module__", "") == "__main__"]

for check in CHECKS:
    try:
        check()
    except Exception as problem:
        print(f"jira {client_version}: {check.__name__}", file=sys.stderr)
        raise problem
print(f"jira {client_version}: {len(CHECKS)} checks")
