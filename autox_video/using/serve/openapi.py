"""The API in words for machines: OpenAPI 3.1."""

from __future__ import annotations

from typing import Any

from autox_video.using.serve.limits import Limits

_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["where", "wrong", "cure"],
            "properties": {name: {"type": "string"} for name in ("where", "wrong", "got", "cure")},
        }
    },
}
_STATUSES = {
    400: "the upload is empty, broken off or no form",
    403: "the request comes from another site",
    408: "the upload is too slow",
    413: "the upload is too large",
    422: "the video cannot be read; or the label is unknown",
    500: "the server fails",
    503: "too many requests wait; Retry-After says when to come again",
    504: "the answer takes too long",
    507: "there is no room for the upload",
}


def described(version: str, limits: Limits) -> dict[str, Any]:
    """The document at /openapi.json.

    Args:
        version: Of this package.
        limits: Of a request.
    """
    video = {"type": "string", "format": "binary", "maxLength": limits.max_bytes}
    body = {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": video},
            "multipart/form-data": {"schema": {"type": "object", "properties": {"file": video}, "required": ["file"]}},
        },
    }
    name = _query("name", "string", "What the answer calls the video; with a form, the name of its file counts.")
    predicted = _object(
        video=_object("As one entry of `videos` in results.json."),
        classes={"type": "array", "items": {"type": "string"}, "description": "In the order of `video.scores`."},
        facts=_object("Length, frame rate, size."),
        strip=_object("Frames of the video side by side, as a data URL."),
        seconds={"type": "number", "description": "What the answer took."},
    )
    explained = _object(
        explanation=_object("As an entry of `videos` in explanation.json."),
        strip=_object("The picture, as a data URL."),
        seconds={"type": "number"},
    )
    segments = _object(
        timeline=_object("Length, segments, and where nothing moves, in seconds; as of `autox-video timeline`."),
        strip=_object("Frames of the video side by side, as a data URL."),
        seconds={"type": "number"},
    )
    parts = [
        name,
        _query("label", "string", "The class to explain; else the predicted one."),
        _query("moments", "integer", "Parts that the time is divided into."),
        _query("grid", "integer", "Rows and columns of regions."),
    ]
    health = _object(
        status={"enum": ["ok", "starting"]},
        model=_object("Name, classes, digest."),
        limits=_object("Of a request."),
        waiting={"type": "integer"},
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "autox_video", "version": version},
        "paths": {
            "/api/predict": {"post": _operation("The label of a video", [name], body, predicted)},
            "/api/explain": {"post": _operation("Which moments and regions decided", parts, body, explained)},
            "/api/timeline": {"post": _operation("What happens when in a long video", [name], body, segments)},
            "/health": {
                "get": {"summary": "Whether the model is ready", "responses": {"200": _answer("ready", health)}}
            },
        },
        "components": {"schemas": {"Error": _ERROR}},
    }


def _operation(summary: str, parameters: list[Any], body: Any, answer: Any) -> dict[str, Any]:
    error = {"$ref": "#/components/schemas/Error"}
    refused = {str(status): _answer(words, error) for status, words in _STATUSES.items()}
    responses = {"200": _answer("answered", answer), **refused}
    return {"summary": summary, "parameters": parameters, "requestBody": body, "responses": responses}


def _answer(words: str, schema: Any) -> dict[str, Any]:
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _query(name: str, kind: str, words: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "schema": {"type": kind}, "description": words}


def _object(description: str = "", **properties: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object"}
    if description:
        made["description"] = description
    if properties:
        made |= {"properties": properties, "required": list(properties)}
    return made
