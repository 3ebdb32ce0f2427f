"""The words of the notebook inside a TOML text, ``count("exclusion", within=years(5))``: calls and literals only.

An expression may call the given words with literals, lists and other calls. It can name no variable, reach no attribute
and import nothing, so reading a study runs no code but the package's own constructors.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from riskmodel.errors import DeclarationError, RiskmodelError

Words = Mapping[str, Callable[..., Any]]


def evaluate(text: str, words: Words, where: str) -> Any:
    """What the expression makes.

    Parameters
    ----------
    text : str, one call
    words : the callables that may be used, by name
    where : str, the place in the study, for errors

    Raises
    ------
    DeclarationError : not one call of a known word, or a word that refuses its arguments

    Examples
    --------
    >>> from riskmodel.dates import years
    >>> evaluate("years(2)", {"years": years}, "example")
    Duration(months=24, days=0)
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise _refusal(where, text, f"one expression ({error.msg})", "Correct the expression.") from None
    if not isinstance(tree, ast.Call):
        raise _refusal(where, text, "a call such as " + next(iter(words)) + "(...)", "Write a call of one word.")
    return _value(tree, words, where, text)


def _value(node: ast.expr, words: Words, where: str, text: str) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return tuple(_value(item, words, where, text) for item in items)
        case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
            names = [key.value for key in keys if isinstance(key, ast.Constant)]
            return dict(zip(names, (_value(item, words, where, text) for item in values), strict=True))
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as number)):
            return -number
        case ast.Call(func=ast.Name(id=name)):
            return _call(node, name, words, where, text)
    raise _refusal(where, text, "words, texts, numbers and lists only", "Remove what is none of these.")


def _call(node: ast.Call, name: str, words: Words, where: str, text: str) -> Any:
    if name not in words:
        raise _refusal(where, f"the word {name!r}", f"one of {', '.join(sorted(words))}", "Use a known word.")
    arguments = [_value(argument, words, where, text) for argument in node.args]
    named = {str(keyword.arg): _value(keyword.value, words, where, text) for keyword in node.keywords}
    try:
        return words[name](*arguments, **named)
    except RiskmodelError:
        raise
    except TypeError as error:
        reason = str(error).partition("() ")[2] or str(error)
        raise _refusal(where, f"{text} ({reason})", f"arguments that {name} takes", f"See help for {name}.") from None


def _refusal(where: str, found: str, expected: str, repair: str) -> DeclarationError:
    return DeclarationError.of("expression-invalid", where=where, found=found, expected=expected, repair=repair)
