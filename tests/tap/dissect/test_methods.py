"""The table of methods says what the specification says."""

from mcptap.tap.dissect.methods import LISTEN, METHODS, REVISIONS, TASK_RESULT

# Method, who sends it (C, S), in each of the five revisions R request, N notification, - not there; `ext`: extension.
SPECIFIED = """
initialize                              C  RRRR-
notifications/initialized               C  NNNN-
ping                                    CS RRRR-
server/discover                         C  ----R
tools/list                              C  RRRRR
tools/call                              C  RRRRR
resources/list                          C  RRRRR
resources/templates/list                C  RRRRR
resources/read                          C  RRRRR
resources/subscribe                     C  RRRR-
resources/unsubscribe                   C  RRRR-
prompts/list                            C  RRRRR
prompts/get                             C  RRRRR
completion/complete                     C  RRRRR
logging/setLevel                        C  RRRR-
subscriptions/listen                    C  ----R
sampling/createMessage                  S  RRRR-
roots/list                              S  RRRR-
elicitation/create                      S  --RR-
tasks/get                               CS ---R- ext
tasks/cancel                            CS ---R- ext
tasks/result                            CS ---R-
tasks/list                              CS ---R-
tasks/update                            C  ----- ext
notifications/cancelled                 CS NNNNN
notifications/progress                  CS NNNNN
notifications/message                   S  NNNNN
notifications/tools/list_changed        S  NNNNN
notifications/prompts/list_changed      S  NNNNN
notifications/resources/list_changed    S  NNNNN
notifications/resources/updated         S  NNNNN
notifications/roots/list_changed        C  NNNN-
notifications/elicitation/complete      S  ---N-
notifications/tasks/status              CS ---N-
notifications/tasks                     S  ----- ext
notifications/subscriptions/acknowledged S ----N
"""


def row(name: str) -> str:
    method = METHODS[name]
    senders = "".join(side[0].upper() for side in method.senders)
    letter = method.kind[0].upper()
    where = "".join(letter if revision in method.revisions else "-" for revision in REVISIONS)
    return " ".join((name, senders, where, *(["ext"] if method.extension else [])))


def test_every_method_of_every_revision_has_its_row() -> None:
    assert sorted(map(row, METHODS)) == sorted(" ".join(line.split()) for line in SPECIFIED.strip().splitlines())


def test_a_notification_is_named_as_one() -> None:
    kinds = {name: method.kind for name, method in METHODS.items()}
    assert {name for name, kind in kinds.items() if kind == "notification"} == {
        name for name in kinds if name.startswith("notifications/")
    }


def test_what_stays_open_for_hours_and_what_waits_for_somebody() -> None:
    assert {name for name, method in METHODS.items() if method.long_lived} == {LISTEN, TASK_RESULT}
    assert {name for name, method in METHODS.items() if method.waits} == {
        "sampling/createMessage",
        "elicitation/create",
        "roots/list",
    }


def test_what_a_modern_server_may_ask_back_for() -> None:
    rounds = {name for name, method in METHODS.items() if method.rounds}
    assert rounds == {"tools/call", "prompts/get", "resources/read"}
