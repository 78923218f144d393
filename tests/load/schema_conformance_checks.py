"""Schemathesis' checks, with exceptions for what the OpenAPI document cannot express.

An exception is a constraint for which the JSON Schema of a parameter or a body has no
keyword, or a path whose meaning differs from what Schemathesis infers. Every other
response goes through the original check.
"""

import schemathesis
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    use_after_free,
)

# Validation errors of input that matches the schema: the pointer, and the start of the detail.
NOT_IN_SCHEMA = [
    # Signed by the service, and bound to its user and its filters.
    ("/cursor", "must be the next_cursor of a page"),
    # JSON Schema could express this, but not of a member that may also be null.
    ("/client_record_version", "requires client_record_id"),
    # `format: date-time` has no bounds, and the years in `example` pass.
    ("/timestamp", "must not be before 1970"),
    ("/timestamp", "must not be more than"),
    # A gap around zero is two ranges, which would make two types of a number.
    ("/value", "must have a magnitude of 0 or from 1e-130"),
    # A schema limits neither bytes nor depth, and cannot forbid member names.
    ("/metadata", "must not"),
    # Applies to numbers at any depth.
    ("/metadata", "contains a number that must"),
    # There are hundreds of time zones, and each year adds some.
    ("/tz", "must be the IANA name"),
]
USER_COLLECTIONS = {"/api/v1/data/{user_id}", "/api/v1/data/{user_id}/export", "/api/v1/data/{user_id}/summary"}


@schemathesis.check
def valid_request_is_accepted(context, response, case):
    errors = response.json().get("errors", []) if response.status_code == 422 else []
    if errors and all(is_not_in_schema(error) for error in errors):
        return None
    return positive_data_acceptance(context, response, case)


def is_not_in_schema(error: dict) -> bool:
    return any(error["pointer"] == pointer and error["detail"].startswith(detail) for pointer, detail in NOT_IN_SCHEMA)


@schemathesis.check
def invalid_request_is_rejected(context, response, case):
    # A batch returns 200 with a result per reading: an invalid reading does not reject
    # the others.
    is_batch = case.operation.path == "/api/v1/data/batch" and case.method == "POST"
    if is_batch and response.status_code == 200 and response.json()["rejected"] > 0:
        return None
    return negative_data_rejection(context, response, case)


@schemathesis.check
def deleted_resource_is_not_found(context, response, case):
    # A user is not a resource that can be missing: without readings the list is empty.
    if case.operation.path in USER_COLLECTIONS:
        return None
    return use_after_free(context, response, case)


@schemathesis.check
def allow_header_matches_the_document(context, response, case):
    # `batch` is also a valid user id whose readings can be listed and erased, so this
    # path accepts more methods than the batch operation documents.
    if case.operation.path == "/api/v1/data/batch":
        return None
    return allow_header_conformance(context, response, case)
