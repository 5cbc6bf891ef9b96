"""Runs requests: the one door from HTTP into GraphQL."""

from collections.abc import Callable, Mapping
from typing import Any

from graphql import ExecutionResult

from movieql.api.context import Context
from movieql.api.errors import LogFault, formatted_error
from movieql.api.execution import Executor

MakeContext = Callable[[str], Context]
"""Makes the context of one request, given its id; the budget of its question starts then."""


class Engine:
    """Prepares, executes and formats."""

    def __init__(self, executor: Executor, make_context: MakeContext, log_fault: LogFault) -> None:
        self._executor = executor
        self._make_context = make_context
        self._log_fault = log_fault

    def operation_kind(self, query: str, operation_name: str | None) -> str | None:
        """Return "query", "mutation" or "subscription"; None when nothing would run."""
        operation = self._executor.prepare(query).operation(operation_name)
        return None if operation is None else operation.operation.value

    async def run(
        self,
        query: str,
        variables: Mapping[str, Any],
        operation_name: str | None,
        request_id: str,
    ) -> dict[str, Any]:
        """Return the body of the answer; without `data` when nothing was executed."""
        context = self._make_context(request_id)
        prepared = self._executor.prepare(query)
        result = await self._executor.execute(prepared, context, variables, operation_name)
        return self._formatted(result, request_id)

    def _formatted(self, result: ExecutionResult, request_id: str) -> dict[str, Any]:
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [
                formatted_error(error, request_id, self._log_fault) for error in result.errors
            ]
        # Without a path an error is of the request, not of a field: nothing was executed.
        if result.data is not None or any(error.path for error in result.errors or ()):
            body["data"] = result.data
        return body
