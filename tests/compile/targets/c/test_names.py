"""Names of nodes in C: whatever a node is called, the program compiles and computes the same."""

from __future__ import annotations

import re
import subprocess

import pytest
import torch
from compile.targets.fakes import real_compiler

import graphnet as gn
from graphnet.compile.targets.c.names import comment, identifier
from graphnet.compile.targets.c.prelude import FUNCTIONS
from graphnet.compile.targets.c.printer import HEADERS

IN_CODE = ["tanh", "tanhf", "exp_float", "int", "typeof", "asm", "bool", "linux", "float16", "i",
           "o0", "k1", "t0", "t1", "x", "at", "best", "better", "total", "s", "cells", "scratch",
           "fed", "numbers", "NAN", "INFINITY", "M_PI", "INT32_MAX", "INT64_C", "memcpy", "double4",
           "tile6x2_float16", "Strides", "_", "__x__", "2nd", "a.b", "a_b", "a b"]  # fmt: skip
IN_COMMENTS = ["*/", "/*", "*\\", "**//", "??/", "???/", "\\", "a\\\n", "a\nb", "a\rb",
               "#define w0", "é", "名", "\u2028", "\0", '"', "%s", "//"]  # fmt: skip


@pytest.mark.parametrize("names", [IN_CODE, IN_COMMENTS], ids=["in code", "in comments"])
def test_a_program_whose_nodes_have_such_names(names):
    graph = gn.Graph()
    total = graph.input((3, 4), name="start")
    expected = torch.rand(3, 4, generator=torch.Generator().manual_seed(99))
    feed = {"start": expected}
    for number, name in enumerate(names):
        value = torch.rand(3, 4, generator=torch.Generator().manual_seed(number))
        try:
            if number % 2:
                node = graph.input((3, 4), name=name)
                feed[name] = value
            else:
                node = graph.parameter(value.clone(), name=name)
        except gn.GraphError:  # a name that no node can have
            continue
        # The place of a maximum has the local variables `at`, `best`, `better`.
        total = (total * node).tanh() + total.max(0, True)[0] / 2
        expected = (expected * value).tanh() + expected.max(0, True)[0] / 2
    predict = graph.compile(total, backend="c")
    torch.testing.assert_close(predict(feed), expected, rtol=1e-6, atol=1e-6)  # float32
    assert predict.source.isascii()


def test_no_name_is_a_macro_of_the_headers():
    done = subprocess.run(
        [real_compiler(), "-std=gnu11", "-dM", "-E", "-"],
        input=HEADERS, capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    macros = re.findall(r"^#define (\w+) ", done.stdout, re.MULTILINE)  # without parameters
    assert "NAN" in macros
    assert [name for name in macros if identifier(name, set()) == name] == []


@pytest.mark.parametrize("name", ["int", "float16", "t3", "tanh", "M_PI", "sum_float8", *FUNCTIONS])
def test_an_identifier_is_given_once(name):
    taken = set(FUNCTIONS)
    found = [identifier(name, taken) for _ in range(4)]
    assert len({*found}) == 4
    assert not {*found} & {*FUNCTIONS, name} or name == "sum_float8"
    assert all(re.fullmatch(r"[A-Za-z]\w*", each, re.ASCII) for each in found)


NEXT_TO_EACH_OTHER = [a + b + c for a in "*/\\?" for b in "*/\\?" for c in "*/\\?"]


@pytest.mark.parametrize("name", [*NEXT_TO_EACH_OTHER, *IN_COMMENTS])
def test_no_comment_is_ended_by_a_name(name):
    graph = gn.Graph()
    node = graph.input((), name="x")
    node.name = name
    text = comment(node)
    assert not re.search(r"\*/|/\*|\?\?|\\|\n", text)
    assert not text.endswith("/") or name.endswith(("/", "\\"))
