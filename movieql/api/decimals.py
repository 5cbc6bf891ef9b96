"""The scalar Decimal, whose literals do not go through a float on their way.

What is too large for one is no number, as in JSON: `1e999999999` written out fills the memory.
"""

from dataclasses import replace
from decimal import Decimal
from math import isinf
from typing import Any

from graphql import FloatValueNode, IntValueNode, StringValueNode, ValueNode, print_ast
from strawberry.schema.types.base_scalars import DecimalDefinition

_of_value: Any = DecimalDefinition.parse_value


def _of_literal(node: ValueNode, _: dict[str, Any] | None = None) -> Any:
    match node:
        case FloatValueNode(value=text) if isinf(float(text)):
            return Decimal("Infinity")
        case FloatValueNode(value=text) | IntValueNode(value=text) | StringValueNode(value=text):
            return _of_value(text)
    return _of_value(print_ast(node))  # which is no number


def _written(value: Decimal) -> str:
    return f"{Decimal(value):f}"  # 1E-18 is a number, but nobody reads it as an amount


DECIMAL = replace(DecimalDefinition, parse_literal=_of_literal, serialize=_written)
"""How it is read and written. A variable is exact as `web.bodies.json_value` reads it."""
