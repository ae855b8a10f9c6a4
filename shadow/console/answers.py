"""How does the control API say that something is wrong? One shape of error, with the status that fits."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from shadow.errors import RefusedError, StoreError


class Problem(BaseModel):
    """type: for programs; message: for people; param: the parameter or field that is wrong, where there is one."""

    type: str
    message: str
    param: str | None = None


class ErrorBody(BaseModel):
    """The body of every answer that is not a success."""

    error: Problem


class ApiError(Exception):
    """An answer other than success, raised by a route."""

    def __init__(self, status: int, type_: str, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.status, self.type, self.message, self.param = status, type_, message, param


def error_answer(status: int, type_: str, message: str, *, param: str | None = None) -> JSONResponse:
    """The JSON answer for an error."""
    body = ErrorBody(error=Problem(type=type_, message=message, param=param))
    return JSONResponse(body.model_dump(), status_code=status)


def install_error_answers(app: FastAPI) -> None:
    """Give every failure of a route the shape above."""

    @app.exception_handler(ApiError)
    async def _of_route(_: Request, exc: ApiError) -> JSONResponse:
        return error_answer(exc.status, exc.type, exc.message, param=exc.param)

    @app.exception_handler(RequestValidationError)
    async def _of_validation(_: Request, exc: RequestValidationError) -> JSONResponse:
        problems = [(_place(error["loc"]), str(error["msg"])) for error in exc.errors()]
        message = "; ".join(f"{place}: {text}" if place else text for place, text in problems)
        return error_answer(422, "invalid", message, param=problems[0][0] or None)

    @app.exception_handler(HTTPException)
    async def _of_framework(request: Request, exc: HTTPException) -> JSONResponse:
        if exc.status_code == 404:
            return error_answer(404, "not_found", f"nothing is served at {request.url.path}")
        if exc.status_code == 405:
            return error_answer(405, "method_not_allowed", f"{request.method} is not supported at {request.url.path}")
        return error_answer(exc.status_code, "http_error", str(exc.detail))

    @app.exception_handler(RefusedError)
    async def _of_decision(_: Request, exc: RefusedError) -> JSONResponse:
        return error_answer(409, "refused", str(exc))

    @app.exception_handler(StoreError)
    async def _of_store(_: Request, exc: StoreError) -> JSONResponse:
        return error_answer(503, "store_unavailable", str(exc))


def _place(location: tuple[int | str, ...]) -> str:
    """("query", "limit") is `limit`; ("body", "label") is `label`; a broken body (a position in it) is `body`."""
    parts = [str(part) for part in location[1:] if not isinstance(part, int)]
    return ".".join(parts) or str(location[0] if location else "")
