"""Digest of the code that a computation runs, read from the syntax trees without importing anything."""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path


def source_digest(
    modules: Sequence[str] = (),
    *,
    files: Sequence[Path] = (),
    root: Path | None = None,
    ignore: Sequence[str] = ("symlab.artifacts",),
) -> str:
    """Hash the code of `modules` and of every module of the same package that they import, transitively.

    Comments, docstrings and layout do not count; everything else does. Imports inside functions are followed, and so is
    a string that spells a module's full name (as in ``import_module("symlab.groups")``). ``from symlab.groups import
    Structure`` follows only the file that defines `Structure`: an ``__init__`` that re-exports is a signpost, not code,
    because no module of symlab acts on import.

    Args:
        modules: full names, such as ``("symlab.training",)``; a package stands for all that its ``__init__`` imports.
        files: further Python files (a text notebook, say), hashed with the modules that they import from symlab.
        ignore: rooms that are not followed into; default: the store itself, which moves results but does not make them.
        root: folder that holds the top-level package; default: the one this package was loaded from.

    Returns:
        64 hexadecimal digits.

    Raises:
        ValueError: a module has no source file below `root`.
        SyntaxError: a file does not parse.

    Cost: about 1 ms per 100 lines, once per process and version of a file.
    """
    root = Path(__file__).resolve().parents[2] if root is None else Path(root)
    for module in modules:
        if _module_file(root, module) is None:
            raise ValueError(
                f"modules: no source file for {module!r} below {root}; give the full dotted name of a module, "
                'for example "symlab.training"'
            )
    packages = frozenset(name.partition(".")[0] for name in modules) or frozenset({"symlab"})
    found: dict[str, str] = {}
    queue: list[tuple[str, Path]] = [(name, path) for name in modules if (path := _module_file(root, name))]
    queue += [(f"file:{Path(path).name}", Path(path)) for path in files]
    while queue:
        name, path = queue.pop()
        if name in found:
            continue
        source = _parse(path)
        found[name] = source.digest
        is_package = path.name == "__init__.py"
        for target in _edges(source, name, is_package, root, packages):
            target_path = _module_file(root, target)
            if target_path is not None and not any(f"{target}.".startswith(f"{room}.") for room in ignore):
                queue.append((target, target_path))
    lines = (f"{name} {digest}\n" for name, digest in sorted(found.items()))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class _Source:
    tree: ast.Module

    @cached_property
    def digest(self) -> str:
        parts: list[str] = []
        _serialize(self.tree, parts)
        return hashlib.sha256("".join(parts).encode()).hexdigest()

    @cached_property
    def imports(self) -> list[ast.Import | ast.ImportFrom]:
        return [node for node in ast.walk(self.tree) if isinstance(node, ast.Import | ast.ImportFrom)]

    @cached_property
    def strings(self) -> list[str]:
        values = (node.value for node in ast.walk(self.tree) if isinstance(node, ast.Constant))
        return [value for value in values if isinstance(value, str) and value.replace(".", "_").isidentifier()]

    @cached_property
    def other_names(self) -> set[str]:
        """Names that this file binds by something else than an import."""
        names: set[str] = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                names.add(node.name)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names.add(node.id)
        return names


def _parse(path: Path) -> _Source:
    return _parse_text(path, path.read_text(encoding="utf-8"))


@lru_cache(maxsize=1024)
def _parse_text(path: Path, text: str) -> _Source:
    return _Source(_without_docstrings(ast.parse(text, filename=str(path))))


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(node, field, None)
            if isinstance(block, list):
                block[:] = [statement for statement in block if not _is_bare_string(statement)]
    return tree


def _is_bare_string(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _serialize(node: object, parts: list[str]) -> None:
    """Write a syntax tree without positions or empty fields, so that all Python versions agree on it."""
    if isinstance(node, ast.Constant):
        parts.append(f"({type(node.value).__name__}:{node.value!r})")
    elif isinstance(node, ast.AST):
        parts.append(f"({type(node).__name__}")
        for field in node._fields:
            value = getattr(node, field, None)
            if value is None or value == [] or field in ("ctx", "type_comment"):
                continue
            parts.append(f" {field}=")
            _serialize(value, parts)
        parts.append(")")
    elif isinstance(node, list):
        parts.append("[")
        for item in node:
            _serialize(item, parts)
            parts.append(",")
        parts.append("]")
    else:
        parts.append(repr(node))


def _edges(source: _Source, module: str, is_package: bool, root: Path, packages: frozenset[str]) -> Iterator[str]:
    for node in source.imports:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in packages)
            continue
        base = _absolute(node, module, is_package)
        if base.partition(".")[0] in packages:
            for alias in node.names:
                yield from _definition(base, alias.name, root, packages)
    yield from (text for text in source.strings if text.partition(".")[0] in packages and "." in text)


def _definition(module: str, name: str, root: Path, packages: frozenset[str]) -> Iterator[str]:
    """Modules that `from module import name` needs: the defining one where a package re-exports it, else all."""
    path = _module_file(root, module)
    if path is not None and path.name == "__init__.py" and name != "*":
        source = _parse(path)
        if name not in source.other_names:
            signposts = [
                (_absolute(node, module, True), alias.name)
                for node in source.imports
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
                if (alias.asname or alias.name) == name
            ]
            if signposts:
                for target, original in signposts:
                    if target == module:  # `from . import name`: a submodule
                        yield f"{module}.{original}"
                    elif target.partition(".")[0] in packages:
                        yield from _definition(target, original, root, packages)
                return
            if _module_file(root, f"{module}.{name}") is not None:
                yield f"{module}.{name}"
                return
    yield module


def _absolute(node: ast.ImportFrom, module: str, is_package: bool) -> str:
    """Full name of the module that an import statement in `module` names."""
    if node.level == 0:
        return node.module or ""
    parts = module.split(".")
    anchor = parts[: len(parts) - node.level + (1 if is_package else 0)]
    return ".".join([*anchor, *([node.module] if node.module else [])])


def _module_file(root: Path, module: str) -> Path | None:
    base = root.joinpath(*module.split("."))
    for path in (base.with_name(base.name + ".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None
