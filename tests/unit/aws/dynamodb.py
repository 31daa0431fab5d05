"""In-process fake of DynamoDB: the operations and expressions that the ledger and its tests use."""

import re
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.unit.aws.failure import AwsFailure

_PAGE_BYTES = 1 << 20

Item = dict[str, Any]
Predicate = Callable[[Item], bool]
Operand = Callable[[Item], Any]


@dataclass
class _Table:
    keys: tuple[str, ...]
    items: dict[tuple[Any, ...], Item] = field(default_factory=dict)


class DynamoDB:
    """Tables of items by key."""

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}

    def CreateTable(self, *, TableName: str, KeySchema: list[Mapping[str, str]], **_: Any) -> dict[str, Any]:
        if TableName in self._tables:
            raise AwsFailure("ResourceInUseException", f"Table already exists: {TableName}")
        self._tables[TableName] = _Table(tuple(key["AttributeName"] for key in KeySchema))
        return {"TableDescription": {"TableName": TableName, "TableStatus": "ACTIVE"}}

    def DeleteTable(self, *, TableName: str, **_: Any) -> dict[str, Any]:
        self._table(TableName)
        del self._tables[TableName]
        return {"TableDescription": {"TableName": TableName, "TableStatus": "DELETING"}}

    def GetItem(self, *, TableName: str, Key: Item, **_: Any) -> dict[str, Any]:
        table = self._table(TableName)
        found = table.items.get(_key(table, Key))
        return {} if found is None else {"Item": deepcopy(found)}

    def PutItem(self, *, TableName: str, Item: Item, **given: Any) -> None:
        table = self._table(TableName)
        key = _key(table, Item)
        _check_condition(table.items.get(key, {}), given)
        table.items[key] = deepcopy(Item)

    def DeleteItem(self, *, TableName: str, Key: Item, **given: Any) -> None:
        table = self._table(TableName)
        key = _key(table, Key)
        _check_condition(table.items.get(key, {}), given)
        table.items.pop(key, None)

    def UpdateItem(self, *, TableName: str, Key: Item, UpdateExpression: str, **given: Any) -> None:
        table = self._table(TableName)
        key = _key(table, Key)
        before = table.items.get(key, {})
        parser = _Parser(UpdateExpression, given)
        changes = parser.assignments()
        condition = given.get("ConditionExpression")
        is_met = _Parser(condition, given, parser.used).condition()(before) if condition else True
        _check_used(given, parser.used)
        if not is_met:
            raise AwsFailure("ConditionalCheckFailedException", "The conditional request failed")
        table.items[key] = deepcopy({**Key, **before, **{name: value(before) for name, value in changes.items()}})

    def Query(self, *, TableName: str, KeyConditionExpression: str, **given: Any) -> dict[str, Any]:
        used: set[str] = set()
        is_selected = _Parser(KeyConditionExpression, given, used).condition()
        return self._page(TableName, is_selected, given, used)

    def Scan(self, *, TableName: str, **given: Any) -> dict[str, Any]:
        return self._page(TableName, lambda _: True, given, set())

    def _page(self, name: str, is_selected: Predicate, given: Mapping[str, Any], used: set[str]) -> dict[str, Any]:
        """A page of at most a megabyte of items, counted before the filter."""
        table = self._table(name)
        written = given.get("FilterExpression")
        passes: Predicate = _Parser(written, given, used).condition() if written else lambda _: True
        _check_used(given, used)
        after = _key(table, given["ExclusiveStartKey"]) if "ExclusiveStartKey" in given else None
        found, size, scanned = [], 0, 0
        for key in sorted(table.items, reverse=not given.get("ScanIndexForward", True)):
            item = table.items[key]
            if not is_selected(item) or (after is not None and key <= after):
                continue
            size, scanned = size + len(str(item)), scanned + 1
            found += [deepcopy(item)] * passes(item)
            if size > _PAGE_BYTES or scanned == given.get("Limit"):
                last = {name: item[name] for name in table.keys}
                return {"Items": found, "Count": len(found), "ScannedCount": scanned, "LastEvaluatedKey": last}
        return {"Items": found, "Count": len(found), "ScannedCount": scanned}

    def _table(self, name: str) -> _Table:
        if name not in self._tables:
            raise AwsFailure("ResourceNotFoundException", "Requested resource not found")
        return self._tables[name]


def _key(table: _Table, item: Item) -> tuple[Any, ...]:
    if any("S" in item.get(name, {}) and not item[name]["S"] for name in table.keys):
        raise AwsFailure(
            "ValidationException", "The AttributeValue for a key attribute cannot contain an empty string."
        )
    if not all("S" in item.get(name, {}) for name in table.keys):
        raise AwsFailure("ValidationException", "One of the required keys was not given a value")
    return tuple(item[name]["S"] for name in table.keys)


def _check_condition(before: Item, given: Mapping[str, Any]) -> None:
    used: set[str] = set()
    written = given.get("ConditionExpression")
    is_met = _Parser(written, given, used).condition()(before) if written else True
    _check_used(given, used)
    if not is_met:
        raise AwsFailure("ConditionalCheckFailedException", "The conditional request failed")


def _check_used(given: Mapping[str, Any], used: set[str]) -> None:
    """Refuse names and values that no expression uses, as DynamoDB does."""
    for which in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        if unused := set(given.get(which, {})) - used:
            raise AwsFailure("ValidationException", f"Value provided in {which} unused in expressions: {unused}")


def _either(left: Predicate, right: Predicate) -> Predicate:
    return lambda item: left(item) or right(item)


def _both(left: Predicate, right: Predicate) -> Predicate:
    return lambda item: left(item) and right(item)


class _Parser:
    """A recursive-descent parser of expressions."""

    def __init__(self, text: str, given: Mapping[str, Any], used: set[str] | None = None) -> None:
        self._tokens = re.findall(r"[#:]?\w+|<>|<=|>=|[=<>(),]", text)
        if "".join(self._tokens) != re.sub(r"\s", "", text):
            raise AwsFailure("ValidationException", f"Invalid expression: {text}")
        self._names = given.get("ExpressionAttributeNames", {})
        self._values = given.get("ExpressionAttributeValues", {})
        self.used = set() if used is None else used

    def assignments(self) -> dict[str, Operand]:
        """Parse the assignments of `SET a = :b, …`."""
        self._expect("SET")
        changes = dict[str, Operand]()
        while True:
            name = self._name(self._next())
            self._expect("=")
            changes[name] = self._operand()
            if not self._tokens:
                return changes
            self._expect(",")

    def condition(self) -> Predicate:
        """Parse the whole expression into a predicate on items."""
        predicate = self._either()
        if self._tokens:
            raise AwsFailure("ValidationException", f"Invalid expression at: {self._tokens}")
        return predicate

    def _either(self) -> Predicate:
        predicate = self._both()
        while self._tokens and self._tokens[0] == "OR":
            self._next()
            left, right = predicate, self._both()
            predicate = _either(left, right)
        return predicate

    def _both(self) -> Predicate:
        predicate = self._term()
        while self._tokens and self._tokens[0] == "AND":
            self._next()
            left, right = predicate, self._term()
            predicate = _both(left, right)
        return predicate

    def _term(self) -> Predicate:
        token = self._tokens[0]
        if token == "NOT":
            self._next()
            inner = self._term()
            return lambda item: not inner(item)
        if token == "(":
            self._next()
            predicate = self._either()
            self._expect(")")
            return predicate
        if token in ("attribute_exists", "attribute_not_exists", "begins_with"):
            return self._function(self._next())
        return self._comparison()

    def _function(self, name: str) -> Predicate:
        self._expect("(")
        operand = self._operand()
        if name == "begins_with":
            self._expect(",")
            prefix = self._operand()
            self._expect(")")
            return lambda item: str((operand(item) or {}).get("S", "")).startswith(prefix(item)["S"])
        self._expect(")")
        return lambda item: (operand(item) is not None) == (name == "attribute_exists")

    def _comparison(self) -> Predicate:
        left, sign = self._operand(), self._next()
        if sign == "IN":
            self._expect("(")
            choices = [self._operand()]
            while self._tokens[0] == ",":
                self._next()
                choices.append(self._operand())
            self._expect(")")
            return lambda item: any(_compares(left(item), "=", choice(item)) for choice in choices)
        right = self._operand()
        if sign != "BETWEEN":
            return lambda item: _compares(left(item), sign, right(item))
        self._expect("AND")
        most = self._operand()
        return lambda item: _compares(left(item), ">=", right(item)) and _compares(left(item), "<=", most(item))

    def _operand(self) -> Operand:
        token = self._next()
        if token.startswith(":"):
            if token not in self._values:
                raise AwsFailure("ValidationException", f"An expression attribute value is not defined: {token}")
            self.used.add(token)
            return lambda _: self._values[token]
        name = self._name(token)
        return lambda item: item.get(name)

    def _name(self, token: str) -> str:
        if not token.startswith("#"):
            return token
        if token not in self._names:
            raise AwsFailure("ValidationException", f"An expression attribute name is not defined: {token}")
        self.used.add(token)
        return str(self._names[token])

    def _next(self) -> str:
        if not self._tokens:
            raise AwsFailure("ValidationException", "The expression ends too early")
        return str(self._tokens.pop(0))

    def _expect(self, token: str) -> None:
        if (found := self._next()) != token:
            raise AwsFailure("ValidationException", f"{token} is expected in the expression, not {found}")


def _compares(left: Mapping[str, Any] | None, sign: str, right: Mapping[str, Any] | None) -> bool:
    """Compare two values: those of different types, or a missing one, are never equal and have no order."""
    if left is None or right is None or left.keys() != right.keys():
        return sign == "<>" and left is not right
    one, other = _plain(left), _plain(right)
    operators: Mapping[str, Callable[[], bool]] = {
        "=": lambda: one == other,
        "<>": lambda: one != other,
        "<": lambda: one < other,
        "<=": lambda: one <= other,
        ">": lambda: one > other,
        ">=": lambda: one >= other,
    }
    return bool(operators[sign]())


def _plain(value: Mapping[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    return Decimal(inner) if kind == "N" else inner
