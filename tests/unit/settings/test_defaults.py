"""A default that stands in a class too is the setting's own."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

from movieql.settings import Settings
from movieql.settings.model import SettingsModel
from movieql.settings.providers import ProviderSettings
from tests.servers import ROOT

OF: dict[str, type[SettingsModel]] = {
    "settings": Settings,
    "provider": ProviderSettings,
    "each": ProviderSettings,
}
"""The settings that go by a name where parts are made of them."""


class Given(NamedTuple):
    """A setting that is passed on, and the default of the parameter that takes it."""

    where: str
    default: Any
    setting: str
    setting_default: Any


def modules() -> Iterator[tuple[ModuleType, ast.Module]]:
    for path in sorted((ROOT / "movieql").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if "settings." in text:
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(parts).removesuffix(".__init__")
            yield importlib.import_module(name), ast.parse(text)


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """Yield calls by a plain name to which a setting is passed as it is."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            values = [*call.args, *(each.value for each in call.keywords)]
            if any(setting_of(value) for value in values):
                yield call.func.id, call


def setting_of(value: ast.expr) -> tuple[type[SettingsModel], str] | None:
    match value:
        case ast.Attribute(ast.Name(owner), name) if owner in OF:
            return (OF[owner], name) if name in OF[owner].model_fields else None
    return None


def given() -> Iterator[Given]:
    for module, tree in modules():
        for name, call in calls(tree):
            if not hasattr(module, name):  # Python's own
                continue
            signature = inspect.signature(getattr(module, name))
            arguments = [
                *zip(signature.parameters, call.args, strict=False),
                *((each.arg or "", each.value) for each in call.keywords),
            ]
            for parameter, value in arguments:
                found = setting_of(value)
                # What a call hands on (Middleware) has its default elsewhere, if any.
                if found is not None and parameter in signature.parameters:
                    owner, setting = found
                    yield Given(
                        f"{name}({parameter}) in {module.__name__}",
                        signature.parameters[parameter].default,
                        setting,
                        owner.model_fields[setting].default,
                    )


def test_no_class_has_another_default_than_the_setting_that_it_is_given() -> None:
    found = list(given())
    assert len(found) > 100
    twice = [each for each in found if each.default is not inspect.Parameter.empty]
    assert [each for each in twice if each.default != each.setting_default] == []
