"""How large an operation may be, found out in linear time before it is validated.

Every selection set is measured once, whatever number of fragments lead to it: Strawberry's own
limiters walk every path, which a query of 750 characters makes 2^18 of.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NamedTypeNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from movieql.domain.errors import LimitExceededError

LIST_SIZE = "list_size"
"""Key of a field's metadata that says how many objects its list has: one of the next."""

PAGE = "page"
"""As many as the page around the field."""

PROVIDERS = "providers"
"""As many as providers are configured."""

HISTORY = "history"
"""As many as a movie shows of its earlier prices."""

_INTROSPECTION = {"__schema": "__Schema", "__type": "__Type"}


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """The most an operation may have, fragments counted as often as they are spread.

    `cost`: objects that the answer may have, with the sizes of pages taken from arguments and
    variables. `list_size`: objects taken for a list of which nothing is known. `providers`: how
    many are configured. Depth does not count within introspection, which GraphiQL needs and which
    is as large as the schema. `mutations`: root fields of a mutation, each of which writes;
    `mutation_cost`: added to the cost for each of them, for a write waits for a store or a shop;
    `subscription_cost`: for each of a subscription, which is answered many times.
    `history_points`: objects of `HISTORY`, as `Context.history_points_max`.
    """

    depth: int = 8
    aliases: int = 15
    root_fields: int = 10
    directives: int = 20
    fields: int = 500
    cost: int = 5_000
    list_size: int = 10
    providers: int = 3
    mutations: int = 5
    mutation_cost: int = 100
    subscription_cost: int = 100
    history_points: int = 50


@dataclass(frozen=True, slots=True)
class _Measure:
    """What a selection set has, itself and below."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    cost: int = 0

    def beside(self, other: "_Measure") -> "_Measure":
        return _Measure(
            max(self.depth, other.depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.fields + other.fields,
            self.cost + other.cost,
        )


class LimitCheck:
    """Measures documents of one schema."""

    def __init__(self, schema: GraphQLSchema, limits: OperationLimits, page_size: int) -> None:
        self._schema = schema
        self._limits = limits
        self._page_size = page_size

    def check(self, document: DocumentNode, variables: Mapping[str, Any]) -> int:
        """Return the cost of the dearest operation; every operation keeps to all limits.

        Raises LimitExceededError, which names the limit, for a document that does not.
        Fragments that no operation uses are validated too, and so have to keep to them as well.
        What does not fit the schema is not counted; validation refuses it next.
        """
        cost = 0
        try:
            for definition in document.definitions:
                if isinstance(definition, OperationDefinitionNode):
                    given = _defaults(definition) | dict(variables)
                    walk = _Walk(self._schema, document, given, self._limits, self._page_size)
                    root = self._schema.get_root_type(definition.operation)
                    cost = max(cost, self._judge(walk, definition, root))
                elif isinstance(definition, FragmentDefinitionNode):
                    walk = _Walk(self._schema, document, {}, self._limits, self._page_size)
                    kind = self._schema.get_type(definition.type_condition.name.value)
                    self._judge(walk, definition, kind)
        except RecursionError as error:
            raise LimitExceededError("The document is nested too deeply.") from error
        return cost

    def _judge(
        self,
        walk: "_Walk",
        definition: OperationDefinitionNode | FragmentDefinitionNode,
        kind: GraphQLNamedType | None,
    ) -> int:
        measure = walk.measured(definition.selection_set, kind, self._page_size)
        is_operation = isinstance(definition, OperationDefinitionNode)
        root_fields = walk.fields_at(definition.selection_set) if is_operation else 0
        mutations = root_fields if _is(OperationType.MUTATION, definition) else 0
        subscriptions = root_fields if _is(OperationType.SUBSCRIPTION, definition) else 0
        found = {
            "depth": measure.depth,
            "aliases": measure.aliases,
            "root_fields": root_fields,
            "mutations": mutations,
            "directives": measure.directives + len(definition.directives or ()),
            "fields": measure.fields,
            "cost": measure.cost
            + mutations * self._limits.mutation_cost
            + subscriptions * self._limits.subscription_cost,
        }
        for name, value in found.items():
            most = getattr(self._limits, name)
            if value > most:
                shown = str(value) if value < 10**9 else "more than 10^9"
                raise LimitExceededError(
                    f"The operation's {name.replace('_', ' ')}: {shown}; at most {most}."
                )
        return found["cost"]


def _is(kind: OperationType, definition: OperationDefinitionNode | FragmentDefinitionNode) -> bool:
    return isinstance(definition, OperationDefinitionNode) and definition.operation is kind


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        each.variable.name.value: int(each.default_value.value)
        for each in operation.variable_definitions or ()
        if isinstance(each.default_value, IntValueNode)
    }


class _Walk:
    """One operation; remembers what each selection set has, per page size around it."""

    def __init__(
        self,
        schema: GraphQLSchema,
        document: DocumentNode,
        variables: Mapping[str, Any],
        limits: OperationLimits,
        page_size: int,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._page_size = page_size
        self._variables = variables
        self._fragments = {
            each.name.value: each
            for each in document.definitions
            if isinstance(each, FragmentDefinitionNode)
        }
        self._known: dict[tuple[int, int], _Measure] = {}
        self._roots: dict[int, int] = {}

    def measured(
        self, selections: SelectionSetNode, parent: GraphQLNamedType | None, page: int
    ) -> _Measure:
        """Measure a selection set on a type; `page` is the size of the page around it."""
        key = (id(selections), page)
        if key not in self._known:
            self._known[key] = _Measure()  # what leads back here is refused by validation
            total = _Measure()
            for node in selections.selections:
                total = total.beside(self._selection(node, parent, page))
            self._known[key] = total
        return self._known[key]

    def fields_at(self, selections: SelectionSetNode) -> int:
        """Count the fields of one level, through fragments."""
        key = id(selections)
        if key not in self._roots:
            self._roots[key] = 0
            self._roots[key] = sum(map(self._fields_of, selections.selections))
        return self._roots[key]

    def _fields_of(self, node: SelectionNode) -> int:
        if isinstance(node, InlineFragmentNode):
            return self.fields_at(node.selection_set)
        if isinstance(node, FragmentSpreadNode):
            fragment = self._fragments.get(node.name.value)
            return 0 if fragment is None else self.fields_at(fragment.selection_set)
        return 1

    def _selection(
        self, node: SelectionNode, parent: GraphQLNamedType | None, page: int
    ) -> _Measure:
        own = _Measure(directives=len(node.directives or ()))
        match node:
            case FieldNode():
                return own.beside(self._field(node, parent, page))
            case InlineFragmentNode(type_condition=None):
                return own.beside(self.measured(node.selection_set, parent, page))
            case InlineFragmentNode(type_condition=NamedTypeNode(name=name)):
                inner = self._schema.get_type(name.value)
                return own.beside(self.measured(node.selection_set, inner, page))
            case FragmentSpreadNode() if node.name.value in self._fragments:
                fragment = self._fragments[node.name.value]
                inner = self._schema.get_type(fragment.type_condition.name.value)
                return own.beside(self.measured(fragment.selection_set, inner, page))
        return own

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, page: int) -> _Measure:
        name = node.name.value
        definition = getattr(parent, "fields", {}).get(name)
        inner = _Measure()
        if node.selection_set is not None:
            introspected = _INTROSPECTION.get(name)
            kind = definition and get_named_type(definition.type)
            kind = self._schema.get_type(introspected) if introspected else kind
            inner = self.measured(node.selection_set, kind, self._page(node, page))
        introspects = name.startswith("__") or (parent is not None and parent.name[:2] == "__")
        times = self._times(definition, page) if definition and not introspects else 1
        is_object = node.selection_set is not None
        return _Measure(
            depth=0 if introspects else inner.depth + 1,
            aliases=inner.aliases + (node.alias is not None),
            directives=inner.directives,
            fields=inner.fields + 1,
            cost=times * (inner.cost + is_object),
        )

    def _times(self, definition: GraphQLField, page: int) -> int:
        """Return how many objects a field stands for."""
        if not is_list_type(get_nullable_type(definition.type)):
            return 1
        own = definition.extensions.get("strawberry-definition")
        size: str = getattr(own, "metadata", {}).get(LIST_SIZE, "")
        if size == PAGE:
            return page
        sizes = {PROVIDERS: self._limits.providers, HISTORY: self._limits.history_points}
        return sizes.get(size, self._limits.list_size)

    def _page(self, node: FieldNode, page: int) -> int:
        """Return the size of the page that a field opens, else that of the page around it."""
        for argument in node.arguments or ():
            if argument.name.value == "first":
                size = self._given(argument.value)
                # Anything else is refused by validation, or by the resolver as out of range.
                return size if isinstance(size, int) and size >= 0 else self._page_size
        return page

    def _given(self, value: ValueNode) -> object:
        if isinstance(value, IntValueNode):
            return int(value.value)
        return self._variables.get(value.name.value) if isinstance(value, VariableNode) else None
