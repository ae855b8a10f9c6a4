"""Are two programs the same but for names, comments and layout? By the syntax tree where it is Python."""

from __future__ import annotations

import ast
import builtins
import re
import warnings

_BLOCK = re.compile(r"```[ \t]*([\w+#-]*)[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
_LOOKS = re.compile(
    r"^\s*(?:def \w+\(|class \w+|import \w+|from \w+ import|for \w+ in |if .+:$|while .+:$|return\b|\w+ = |print\()",
    re.MULTILINE,
)
_PYTHON = frozenset({"", "python", "py", "python3"})
_MAX_CHARS = 20_000
_MAX_NODES = 4_000
_COMMENT = re.compile(r"(?m)(?://|#|--)[^\n]*$|/\*.*?\*/", re.DOTALL)
_TOKEN = re.compile(r"\w+|[<>=!+\-*/%&|^~]+|[^\w\s]")
_OPERATORS = (ast.operator, ast.cmpop, ast.boolop, ast.unaryop)
_MANY = 1_000
_KEPT = frozenset(dir(builtins)) | {"self", "cls"}


def code_of(text: str) -> tuple[str, str] | None:
    """Language and text of the code that makes up a completion: its longest fenced block, or all of it, else None."""
    blocks = [(language.lower(), block) for language, block in _BLOCK.findall(text[:_MAX_CHARS])]
    blocks = [b for b in blocks if b[0] not in ("json", "text", "markdown")]
    if blocks:
        return max(blocks, key=lambda b: len(b[1]))
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) >= 2 and len(_LOOKS.findall(text[:_MAX_CHARS])) >= 2 and parsed(text) is not None:
        return "python", text
    return None


def parsed(source: str) -> ast.Module | None:
    """The syntax tree, None where it is no Python or too large."""
    if len(source) > _MAX_CHARS or source.count("(") > 2_000 or source.count("[") > 2_000:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return ast.parse(source.strip("\n"))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def same_code(one: tuple[str, str], other: tuple[str, str]) -> bool | None:
    """True for the same program; None where they differ: another program may do the same.

    False where one side is Python that can't be read and the other is Python that can, and where two programs differ in
    one operator or number alone: that is how a slip looks, hardly ever another way to do the same.
    """
    if one[0] in _PYTHON and other[0] in _PYTHON:
        trees = parsed(one[1]), parsed(other[1])
        if trees[0] is not None and trees[1] is not None:
            forms = [_form(tree) for tree in trees if tree is not None]
            if None in forms or forms[0] != forms[1]:
                return (
                    False
                    if None not in forms and _slips(*[_plain_tree(t) for t in trees if t is not None]) == 1
                    else None
                )
            return True
        if (trees[0] is None) != (trees[1] is None) and "python" in (one[0] + other[0]):
            return False
    plain = _stripped(one[1]), _stripped(other[1])
    if plain[0] == plain[1] != "":
        return True
    return False if _differ_in_one_sign(*plain) else None


def _differ_in_one_sign(one: str, other: str) -> bool:
    """Whether two programs of any language are the same but for one operator or number."""
    tokens = _TOKEN.findall(one), _TOKEN.findall(other)
    if len(tokens[0]) != len(tokens[1]):
        return False
    unlike = [pair for pair in zip(*tokens, strict=True) if pair[0] != pair[1]]
    return len(unlike) == 1 and all(t.isdigit() or not (t[0].isalnum() or t[0] in "_\"'") for t in unlike[0])


def _stripped(source: str) -> str:
    return re.sub(r"\s+", " ", _COMMENT.sub("", source[:_MAX_CHARS])).strip()


def _form(tree: ast.Module) -> str | None:
    """The tree as text: docstrings and annotations gone, local names numbered in order of appearance; None if it is large."""
    if sum(1 for _ in ast.walk(tree)) > _MAX_NODES:
        return None
    try:
        return ast.dump(_plain_tree(tree))
    except RecursionError:
        return None


def _plain_tree(tree: ast.Module) -> ast.Module:
    """A copy without what doesn't matter: names numbered, a trial run at the end dropped."""
    copied = ast.parse(ast.unparse(tree))
    if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in copied.body):
        copied.body = [node for node in copied.body if not _is_trial(node)] or copied.body
    plain = _Plain(_bound(copied)).visit(copied)
    return plain if isinstance(plain, ast.Module) else copied


def _is_trial(node: ast.stmt) -> bool:
    """`print(f(4))` or `if __name__ == "__main__":` beside definitions."""
    if isinstance(node, ast.If):
        return "__name__" in ast.dump(node.test)
    called = node.value.func if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) else None
    return isinstance(called, ast.Name) and called.id == "print"


def _slips(one: ast.AST, other: ast.AST) -> int:
    """How many operators and plain values differ between two trees of the same shape; many where the shape differs."""
    nodes = list(ast.walk(one)), list(ast.walk(other))
    if len(nodes[0]) != len(nodes[1]):
        return _MANY
    slips = 0
    for left, right in zip(*nodes, strict=True):
        if isinstance(left, _OPERATORS) and isinstance(right, _OPERATORS):
            slips += type(left) is not type(right)
        elif isinstance(left, ast.Constant) and isinstance(right, ast.Constant):
            message = all(isinstance(c.value, str) and " " in c.value for c in (left, right))
            slips += 0 if left.value == right.value else _MANY if message else 1
        elif type(left) is not type(right) or _own(left) != _own(right):
            return _MANY
    return slips


def _own(node: ast.AST) -> list[str]:
    """What a node holds itself: names, keywords."""
    return [str(value) for _, value in ast.iter_fields(node) if isinstance(value, str)]


def _bound(tree: ast.Module) -> frozenset[str]:
    """Names that the program itself binds inside: arguments and assigned variables, which may be called anything."""
    names = {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    names |= {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return frozenset(names - _KEPT)


class _Plain(ast.NodeTransformer):
    def __init__(self, bound: frozenset[str]) -> None:
        self._bound = bound
        self._numbers: dict[str, str] = {}

    def _renamed(self, name: str) -> str:
        return self._numbers.setdefault(name, f"v{len(self._numbers)}") if name in self._bound else name

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(id=self._renamed(node.id), ctx=ast.Load())

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return ast.arg(arg=self._renamed(node.arg))

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        self._drop_docstring(node)
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self._drop_docstring(node)
        return self.generic_visit(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        self._drop_docstring(node)
        return self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        value = ast.BinOp(left=node.target, op=node.op, right=node.value)
        return self.generic_visit(ast.Assign(targets=[node.target], value=value))

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        if len(node.ops) == 1 and isinstance(node.ops[0], ast.Gt | ast.GtE):
            turned: ast.cmpop = ast.Lt() if isinstance(node.ops[0], ast.Gt) else ast.LtE()
            node = ast.Compare(left=node.comparators[0], ops=[turned], comparators=[node.left])
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        if node.value is None:
            return ast.Pass()
        return self.generic_visit(ast.Assign(targets=[node.target], value=node.value))

    @staticmethod
    def _drop_docstring(node: ast.FunctionDef | ast.ClassDef | ast.Module) -> None:
        first = node.body[0] if node.body else None
        if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
            node.body = node.body[1:] or [ast.Pass()]
