"""The API described for machines, in OpenAPI's words, from the table by which it is checked."""

from __future__ import annotations

from typing import Any

from codegen.version import __version__
from gradwright.serving.endpoints import ENDPOINTS
from gradwright.serving.fields import Endpoint, Field

_REFUSALS = {
    "400": "The request is no question: no JSON, a field that is missing, unknown or of another type.",
    "403": "The Host or Origin is not this server's.",
    "408": "The body did not arrive in time.",
    "413": "The body or a field is too large.",
    "415": "The body is not application/json.",
    "422": "The question cannot be answered: the text is not of the language, or (`withheld`) the answer disagreed "
           "with numbers. With the header `Prefer: status=200` such an error has the status 200.",
    "503": "A limit of time, memory or concurrency was reached; the message says which.",
}


def openapi() -> dict[str, Any]:
    """Return the description, of OpenAPI 3.1."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "gradwright", "version": __version__, "license": {"name": "BSD-3-Clause"},
                 "description": "Derivatives with their steps, networks and their modules, checks of hand-written "
                                "backpropagation. Answers are those of the command with --format json."},
        "paths": {f"/api/{e.name}": {"post": _operation(e)} for e in ENDPOINTS.values()} | {
            "/api/examples": {"get": _plain("examples", "Inputs to start from, for each tab of the page.")},
            "/api/vocabulary": {"get": _plain("vocabulary", "The activations, losses, properties and targets.")},
            "/api/health": {"get": _plain("health", "How many workers are warm, and how many have been replaced.")},
            "/api/openapi.json": {"get": _plain("openapi", "This description.")}},
        "components": {"schemas": {"Error": _ERROR}},
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    needed = [f.name for f in endpoint.fields if f.default is None]
    schema = {"type": "object", "additionalProperties": False, "required": needed,
              "properties": {f.name: _schema(f) for f in endpoint.fields}}
    forms = any(f.name == "format" for f in endpoint.fields)
    same = f" The same as `{endpoint.command}{' --format json' * forms}`." if endpoint.command else ""
    return {
        "operationId": endpoint.name,
        "summary": endpoint.about,
        "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
        "responses": {"200": _response(endpoint.answer + same, {"type": "object"})} | {
            status: _response(about, {"$ref": "#/components/schemas/Error"}) for status, about in _REFUSALS.items()},
    }


def _plain(name: str, about: str) -> dict[str, Any]:
    return {"operationId": name, "summary": about, "responses": {"200": _response(about, {"type": "object"})}}


def _response(about: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": about, "content": {"application/json": {"schema": schema}}}


def _schema(field: Field) -> dict[str, Any]:
    text: dict[str, Any] = {"type": "string", "maxLength": field.longest}
    if field.type is list:
        schema: dict[str, Any] = {"type": "array", "items": text, "maxItems": field.most}
    else:
        schema = text if field.type is str else {"type": "integer"}
    if field.choices:
        schema = {"enum": list(field.choices)}
    if field.default is not None:
        schema["default"] = field.default
    if field.example is not None:
        schema["examples"] = [field.example]
    return schema | {"description": field.about}


_ERROR: dict[str, Any] = {
    "type": "object", "required": ["error"],
    "properties": {"error": {
        "type": "object", "required": ["kind", "message"],
        "properties": {
            "kind": {"enum": ["request", "input", "withheld", "length", "busy", "time", "memory", "ended", "internal"]},
            "message": {"type": "string", "description": "One line: what was expected, what came, what to do."},
            "place": {"type": "object", "properties": {"line": {"type": "integer"}, "character": {"type": "integer"}}},
        }}}}
