"""What an exchange means, in a sentence or two: what happened, and what follows from it."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.models import Exchange, Outcome, Way

OUT: Final[dict[str, Promise]] = {
    Outcome.SENDING: gettext_lazy(
        "This is being sent at this moment. If the worker was ended meanwhile, the next one finds it and treats it "
        "as a request of unknown outcome."
    ),
    Outcome.SUCCEEDED: gettext_lazy("%(desk)s accepted this%(status)s."),
    Outcome.RETRYABLE: gettext_lazy(
        "%(desk)s could not take this now%(status)s. The same bytes are sent again by themselves until the waits "
        "between tries are used up."
    ),
    Outcome.PERMANENT: gettext_lazy(
        "%(desk)s refused this%(status)s. The same request would be refused again, so its run waits for a person."
    ),
    Outcome.MISCONFIGURED: gettext_lazy(
        "The configuration does not fit%(status)s. Mend the system or its operation, then retry the run with the "
        "current configuration."
    ),
    Outcome.UNKNOWN: gettext_lazy(
        "Nobody knows whether this arrived at %(desk)s: there was no answer to it. It is not repeated blindly; the "
        "operation says what follows."
    ),
}
# Of no process run: tests, proofs, polls and questions for values or people.
ALONE: Final[dict[str, Promise]] = {
    Outcome.RETRYABLE: gettext_lazy(
        "%(desk)s could not be reached, or could not take this now%(status)s. No process run repeats it: "
        "whoever tried may try again, and a poll asks anew when it is due."
    ),
    Outcome.PERMANENT: gettext_lazy("%(desk)s refused this%(status)s. No process run waits for it."),
    Outcome.MISCONFIGURED: gettext_lazy(
        "The configuration does not fit%(status)s. Mend the system or its operation, then try again."
    ),
    Outcome.UNKNOWN: gettext_lazy(
        "Nobody knows whether this arrived at %(desk)s: there was no answer to it. No process run repeats it."
    ),
}
IN: Final[dict[str, Promise]] = {
    Outcome.SENDING: gettext_lazy("This is being worked on at this moment, or the server was ended while it was."),
    Outcome.SUCCEEDED: gettext_lazy("We did what %(desk)s asked%(status)s."),
    Outcome.RETRYABLE: gettext_lazy(
        "We failed at this ourselves%(status)s. Nothing was changed; %(desk)s was told to send it again later."
    ),
    Outcome.REFUSED: gettext_lazy(
        "We refused this%(status)s; nothing was changed. When what was in its way is mended, it can be mapped again."
    ),
    Outcome.REPEATED: gettext_lazy(
        "%(desk)s had sent this before. It got the first answer again%(status)s; nothing was changed."
    ),
    Outcome.HELD_BACK: gettext_lazy(
        "This is a text that we had sent to %(desk)s ourselves, so it was not added to the ticket. If it was meant, "
        "it can be applied anyway."
    ),
    Outcome.NO_RULE: gettext_lazy(
        "None of the webhook's rules fits this call, so nothing was changed. It is kept: when a rule for it is "
        "written, it can be mapped again."
    ),
    Outcome.RECORDED: gettext_lazy(
        "The webhook only records: nothing was changed. When it no longer does, this can be mapped again."
    ),
    Outcome.IGNORED: gettext_lazy("This was accepted from %(desk)s and changes nothing."),
}


def meaning(exchange: Exchange) -> str:
    """What happened to this message and what follows."""
    words = (OUT if exchange.way == Way.OUT else IN).get(exchange.outcome)
    if exchange.way == Way.OUT and exchange.run_id is None:
        words = ALONE.get(exchange.outcome, words)
    if words is None:
        return ""
    desk = exchange.system.name if exchange.system else _("the caller")
    sentence = str(words) % {"desk": desk, "status": f" ({exchange.status})" if exchange.status else ""}
    return sentence[:1].upper() + sentence[1:]
