"""Schemathesis' checks, and what the description of the service cannot say.

Each exception here is one that the JSON Schema of a parameter or a body has no words
for, or where a path means something else than Schemathesis takes it for. Everything
else is checked by the checks as they are.
"""

import schemathesis
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    use_after_free,
)

# Faults of what fits the schema, by where they are and what is said of them.
BEYOND_A_SCHEMA = [
    # Signed by the service, and bound to its user and its filters.
    ("/cursor", "must be the next_cursor of a page"),
    # JSON Schema could say so, but not of a member that may also be null.
    ("/client_record_version", "needs a client_record_id"),
    # `format: date-time` has no bounds, and `example` is of years that pass.
    ("/timestamp", "must not be before 1970"),
    ("/timestamp", "must not be more than"),
    # A gap around zero is two ranges, which would make two types of a number.
    ("/value", "must have a magnitude of 0 or from 1e-130"),
    # A schema counts neither bytes nor levels, and has no names that must not be there.
    ("/metadata", "must not"),
    # Of numbers at any depth.
    ("/metadata", "holds a number that must"),
    # Names of time zones are hundreds, and more each year.
    ("/tz", "must be the IANA name"),
]
WALKED = {"/api/v1/data/{user_id}", "/api/v1/data/{user_id}/export", "/api/v1/data/{user_id}/summary"}


@schemathesis.check
def what_fits_is_taken(context, response, case):
    faults = response.json().get("errors", []) if response.status_code == 422 else []
    if faults and all(is_beyond_a_schema(fault) for fault in faults):
        return None
    return positive_data_acceptance(context, response, case)


def is_beyond_a_schema(fault: dict) -> bool:
    return any(fault["pointer"] == pointer and fault["detail"].startswith(detail) for pointer, detail in BEYOND_A_SCHEMA)


@schemathesis.check
def what_does_not_fit_is_refused(context, response, case):
    # A batch is answered 200 with what became of each reading: one bad reading never
    # sinks the others.
    is_batch = case.operation.path == "/api/v1/data/batch" and case.method == "POST"
    if is_batch and response.status_code == 200 and response.json()["rejected"] > 0:
        return None
    return negative_data_rejection(context, response, case)


@schemathesis.check
def what_is_erased_is_gone(context, response, case):
    # A user is no resource that could be missing: of one without readings there are none.
    if case.operation.path in WALKED:
        return None
    return use_after_free(context, response, case)


@schemathesis.check
def allow_is_what_is_described(context, response, case):
    # A user may be called `batch`, and has readings to list and erase: the same path
    # takes more methods than those of the batch.
    if case.operation.path == "/api/v1/data/batch":
        return None
    return allow_header_conformance(context, response, case)
