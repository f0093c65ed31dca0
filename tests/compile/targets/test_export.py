"""Exported C: compiled as a stranger compiles it, it prints Python's numbers."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest
import torch
from compile.targets.exported import (
    COMPILERS,
    DOUBLE,
    NARROW,
    NETS,
    assert_near,
    needs_compiler,
    printed,
    randn,
    sanitizers,
)

import graphnet as gn
from graphnet.ops.dtypes import Convert


@needs_compiler
@pytest.mark.parametrize("name", NETS)
def test_training_in_c(name, tmp_path):
    made = NETS[name]()
    graph, rows = made.graph, 4
    before = [each.top.clone() for each in graph.parameters()]
    report = graph.export_c(
        tmp_path / "net.c",
        made.loss,
        made.optimizer,
        example=made.example,
        batch_size=rows,
        predict=made.outputs,
        **made.options,
    )
    assert report.functions == ("net_step", "net_predict")
    assert all(map(torch.equal, before, [each.top for each in graph.parameters()]))
    compiler = COMPILERS[list(NETS).index(name) % len(COMPILERS)]
    found = printed(tmp_path, compiler, *sanitizers(compiler), *NARROW, "net.c", "net_main.c")
    assert_near(found.pop("loss"), made.walked(5, rows))
    with graph.evaluating():
        outputs = graph.forward({"x": made.example["x"]}, outputs=made.outputs[0])
    ((_, values),) = found.items()
    assert_near(values, outputs)


def predictor():
    """Outputs of several dtypes, an input of a fixed size, names that are words of C."""
    torch.manual_seed(0)
    model = gn.Sequential(gn.Linear(3, 4), gn.ReLU(), gn.BatchNorm1d(4), gn.Dropout(0.5))
    with gn.Graph() as graph:
        x, scale = gn.Input((None, 3), name="linux"), gn.Input((), name="float")
        hidden = model(x)
        y = (hidden + hidden.relu() * scale).clamp(max=1.5)
        double = Convert(DOUBLE)(y).logsumexp(1)  # which compares with infinity
        outputs = [y, y.argmax(1), y > 0.5, double, hidden, hidden, x]
    return graph, outputs, {"linux": randn(6, 3), "float": torch.tensor(0.5)}


@needs_compiler
@pytest.mark.parametrize(("weights", "level"), [("header", "-O0"), ("argument", "-O3")])
def test_prediction_in_c(weights, level, tmp_path):
    """In evaluation mode, two rows at a time; the modes, values and buffers here stay."""
    graph, outputs, example = predictor()
    graph.export_c(tmp_path / "net.c", outputs, example=example, batch_size=2, weights=weights)
    assert all(graph.modes)
    compiler = COMPILERS[-1] if level == "-O0" else COMPILERS[0]
    found = list(printed(tmp_path, compiler, level, *NARROW, "net.c", "net_main.c").values())
    with graph.evaluating():
        expected = graph.forward(example, outputs=outputs)
    for actual, value in zip(found, expected, strict=True):
        assert_near(actual.reshape(value.shape), value.double(), 1e-6)


@needs_compiler
@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize("level", ["-O2", "-O3"])
def test_sums_over_turned_parts_of_rows_in_c(level, compiler, tmp_path):
    """gcc 11 and 12 make vectors of these at -O3, and take numbers from wrong places."""
    graph = gn.Graph()
    x = graph.input((33, 7), name="x")
    turned = x[:, 3:6].roll(1, 1)
    sums = [(turned * turned).sum(), (turned * x[:, 3:6]).sum(1)]
    graph.export_c(tmp_path / "net.c", sums, example={"x": randn(33, 7)})
    found = printed(tmp_path, compiler, level, "net.c", "net_main.c").values()
    expected = graph.forward({"x": randn(33, 7)}, outputs=sums)
    for actual, value in zip(found, expected, strict=True):
        assert_near(actual.reshape(value.shape), value)


DRIVER = """
#include "net.h"
#include "net_weights.h"
#include <stdio.h>
int main(void) {
  static struct net_state state, before;
  static struct net_scratch scratch;
  static float x[4 * 100];
  static int64_t t[4];
  static float loss[1];
  const struct net_numbers numbers = net_numbers_of_step(1, NET_LR);
  net_start(&state);
  before = state;
  printf("sizes %d %d\\n", (int)sizeof state, (int)sizeof scratch);
  t[2] = 9;
  printf("label %d\\n", net_step(&state, &numbers, x, t, loss, &scratch));
  t[2] = 0;
  x[7] = NAN;
  printf("loss %d\\n", net_step(&state, &numbers, x, t, loss, &scratch));
  printf("changed %d\\n", memcmp(&state, &before, sizeof state) != 0);
  return 0;
}
"""


@needs_compiler
def test_what_is_refused_in_c_leaves_the_state(tmp_path):
    made = NETS["digits"]()
    report = made.graph.export_c(
        tmp_path / "net.c", made.loss, made.optimizer, example=made.example, batch_size=4
    )
    (tmp_path / "driver.c").write_text(DRIVER, encoding="utf-8")
    found = printed(tmp_path, COMPILERS[0], "net.c", "driver.c")
    assert found["sizes"].tolist() == [[report.state, report.scratch]]
    assert found["changed"].item() == 0
    header = (tmp_path / "net.h").read_text(encoding="utf-8")
    remarks = dict(re.findall(r" \*   (\d): .* (refuses a number|is not finite)", header))
    assert remarks[f"{found['label'].item():.0f}"] == "refuses a number"
    assert remarks[f"{found['loss'].item():.0f}"] == "is not finite"


OPTIMIZERS = {
    "sgd": lambda p: gn.SGD(p, 0.1, momentum=0.9, dampening=0.25),
    "adam": lambda p: gn.Adam(p, 0.01, betas=(0.0, 0.999)),
    "nadam": lambda p: gn.NAdam(p, 0.01),
    "adagrad": lambda p: gn.Adagrad(p, 0.01, lr_decay=0.3),
}
STEPS = [1, 2, 3, 10, 100, 5000]


@needs_compiler
def test_numbers_of_later_steps_in_c(tmp_path):
    """After two steps in Python; several networks in one program, whose headers C++ reads too."""
    lines, expected = [], []
    for name, optimizer in OPTIMIZERS.items():
        made = NETS["disk"]()
        made.optimizer = optimizer(made.optimizer.parameters)
        made.walked(2, 4)
        made.graph.export_c(tmp_path / f"{name}.c", made.loss, made.optimizer, example=made.example)
        header = (tmp_path / f"{name}.h").read_text(encoding="utf-8")
        assert " grad[" not in (tmp_path / f"{name}_weights.h").read_text(encoding="utf-8")
        members = re.findall(r"  float (\w+); /\*", header)
        (group,) = made.optimizer.param_groups
        (bucket,) = made.optimizer.buckets()
        scalars = {key: each.double() for key, each in bucket.scalars.items()}
        ahead = [made.optimizer.numbers(group, 2 + k, **scalars) for k in range(1, max(STEPS) + 1)]
        for step in STEPS:
            call = f"{name}_numbers_of_step({step}, {name.upper()}_LR)"
            lines += [f'printf("n %.9g\\n", (double){call}.{each});' for each in members]
            expected += [ahead[step - 1][each] for each in members]
    includes = [f'#include "{name}.h"' for name in OPTIMIZERS]
    driver = [*includes, "#include <stdio.h>", "int main(void) {", *lines, "return 0; }", ""]
    (tmp_path / "driver.c").write_text("\n".join(driver), encoding="utf-8")
    found = printed(tmp_path, COMPILERS[-1], "driver.c", *(f"{name}.c" for name in OPTIMIZERS))
    torch.testing.assert_close(
        found["n"].flatten(), torch.tensor(expected, dtype=DOUBLE), rtol=1e-6, atol=0
    )
    command = [COMPILERS[0], "-x", "c++", "-fsyntax-only", "nadam.h"]
    if shutil.which("g++"):
        subprocess.run(command, check=True, cwd=tmp_path, timeout=100)
