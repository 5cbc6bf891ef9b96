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

    def check(self, document: DocumentNode) -> frozenset[str]:
        """Raise LimitExceededError, which names the limit, unless the document keeps to all.

        All but the cost, which depends on variables. Fragments that no operation uses are
        validated too, and so have to keep to the limits as well. What does not fit the schema is
        not counted; validation refuses it next. Returns the names of the variables that give the
        size of a page: nothing else that a caller sends beside the document changes its cost.
        """
        walk = self._walk(document, {})
        for definition in document.definitions:
            if isinstance(definition, OperationDefinitionNode | FragmentDefinitionNode):
                self._judge(walk, definition)
        return frozenset(walk.size_variables)

    def cost(
        self,
        document: DocumentNode,
        operation: OperationDefinitionNode,
        variables: Mapping[str, Any],
    ) -> int:
        """Return what one operation of a document that passed `check` costs.

        `variables` are coerced, as the operation is executed with them: a cost counted from the
        values as they were sent is another one (200.0 is 200 to GraphQL, a default stands for
        what is not sent). What `@skip` and `@include` leave out counts all the same. Raises
        LimitExceededError.
        """
        walk = self._walk(document, variables)
        extra = {
            OperationType.MUTATION: self._limits.mutation_cost,
            OperationType.SUBSCRIPTION: self._limits.subscription_cost,
        }.get(operation.operation, 0)
        root_fields = walk.fields_at(operation.selection_set)
        cost = self._measured(walk, operation).cost + root_fields * extra
        self._compare({"cost": cost})
        return cost

    def _walk(self, document: DocumentNode, variables: Mapping[str, Any]) -> "_Walk":
        return _Walk(self._schema, document, variables, self._limits, self._page_size)

    def _measured(
        self, walk: "_Walk", definition: OperationDefinitionNode | FragmentDefinitionNode
    ) -> _Measure:
        kind = (
            self._schema.get_root_type(definition.operation)
            if isinstance(definition, OperationDefinitionNode)
            else self._schema.get_type(definition.type_condition.name.value)
        )
        try:
            return walk.measured(definition.selection_set, kind, self._page_size)
        except RecursionError as error:
            raise LimitExceededError("The document is nested too deeply.") from error

    def _judge(
        self, walk: "_Walk", definition: OperationDefinitionNode | FragmentDefinitionNode
    ) -> None:
        measure = self._measured(walk, definition)
        found = {
            "depth": measure.depth,
            "aliases": measure.aliases,
            "directives": measure.directives + len(definition.directives or ()),
            "fields": measure.fields,
        }
        if isinstance(definition, OperationDefinitionNode):
            found["root_fields"] = walk.fields_at(definition.selection_set)
            if definition.operation is OperationType.MUTATION:
                found["mutations"] = found["root_fields"]
        self._compare(found)

    def _compare(self, found: Mapping[str, int]) -> None:
        for name, value in found.items():
            most = getattr(self._limits, name)
            if value > most:
                shown = str(value) if value < 10**9 else "more than 10^9"
                raise LimitExceededError(
                    f"The operation's {name.replace('_', ' ')}: {shown}; at most {most}."
                )


class _Walk:
    """A document; remembers what each selection set has, per page size around it."""

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
        self.size_variables: set[str] = set()
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
        if not isinstance(value, VariableNode):
            return None
        self.size_variables.add(value.name.value)
        return self._variables.get(value.name.value)
