"""The files of exported C: their text, what is refused, and what stays as it was."""

from __future__ import annotations

import re

import pytest
import torch
from compile.targets.exported import NETS, net, randn, sgd

import graphnet as gn
from graphnet.compile.targets.c.export.files import NO_VECTORS


def test_the_text_is_for_any_compiler(tmp_path):
    """No globals, no heap, no extensions of a compiler, no double where all is float."""
    made = NETS["words"]()
    report = made.graph.export_c(
        tmp_path / "net.c", made.loss, made.optimizer, example=made.example, predict=made.outputs
    )
    source = (tmp_path / "net.c").read_text(encoding="utf-8")
    assert set(re.findall(r"^#include <(.*)>", source, re.MULTILINE)) <= {
        "math.h",
        "stdbool.h",
        "stdint.h",
        "string.h",
    }
    assert source.count(NO_VECTORS) == 1  # behind a question for gcc
    source = source.replace(NO_VECTORS, "")
    assert not re.search(r"malloc|__attribute__|#pragma|\bdouble\b|[ \t]$", source, re.MULTILINE)
    assert not re.search(r"^static (?!const|inline|void)|^\w+ \w+( =|;|\[)", source, re.MULTILINE)
    assert [path.name for path in report.files] == sorted_files("net")
    assert f"{report.flash:,}" in str(report) and f"{report.ram:,}" in str(report)


def sorted_files(name):
    return [f"{name}{end}" for end in ("_weights.h", "_example.h", ".h", ".c", "_main.c")]


def test_values_overwrite_what_they_are_computed_from(tmp_path):
    """tanh lies where its argument did: 25 numbers of float in all."""
    made = NETS["disk"]()
    assert predicted(made, tmp_path / "net.c").scratch == 100


def predicted(made, path, **options):
    """Export the prediction of a network."""
    example = {"x": made.example["x"]}
    return made.graph.export_c(path, made.outputs, **{"example": example, **options})


def trained(made, path, **options):
    """Export the training of a network."""
    options = {"example": made.example, **options}
    return made.graph.export_c(path, made.loss, made.optimizer, **options)


def dropped(p=0.5, generator=None):
    drop = gn.Dropout(p, generator=generator)
    return net(
        lambda: gn.Sequential(gn.Linear(2, 3), drop, gn.Linear(3, 2)),
        randn(8, 2),
        randn(8, 2, seed=1),
        gn.LossMSE(),
        sgd(lr=0.1),
    )


def rectified():
    made = NETS["disk"]()
    made.optimizer = gn.RAdam(made.optimizer.parameters)
    return made


def half():
    return net(
        lambda: gn.Linear(2, 2),
        randn(4, 2).half(),
        randn(4, 2).half(),
        gn.LossMSE(),
        sgd(),
        torch.half,
    )


x, t = randn(12, 2), randn(12, 2)
REFUSED = {
    "no example": (NETS["disk"], predicted, "a.c", {"example": None}, "example={'x': ...}"),
    "no targets": (NETS["disk"], trained, "a.c", {"example": {"x": x}}, "'t' is not fed"),
    "another dtype": (NETS["disk"], predicted, "a.c", {"example": {"x": x.double()}}, "float32"),
    "rows differ": (NETS["disk"], trained, "a.c", {"example": {"x": x, "t": t[:3]}}, "'t': 3"),
    "no rows": (NETS["disk"], predicted, "a.c", {"example": {"x": x[:0]}}, "at least one row"),
    "a part of a batch": (NETS["disk"], trained, "a.c", {"batch_size": 5}, "out the last 2"),
    "batch of 0": (NETS["disk"], trained, "a.c", {"batch_size": 0}, "1 or more; got 0"),
    "a header": (NETS["disk"], predicted, "a.h", {}, "ends in .c"),
    "a folder": (NETS["disk"], predicted, ".", {}, "Give the path of a file"),
    "no identifier": (NETS["disk"], predicted, "my-net.c", {}, "For example my_net.c"),
    "a digit": (NETS["disk"], predicted, "2d.c", {}, "For example net_2d.c"),
    "a letter that C does not know": (NETS["disk"], predicted, "n\u00e4t.c", {}, "For example n_t"),
    "a keyword": (NETS["disk"], predicted, "switch.c", {}, "For example switch_net.c"),
    "a keyword of C++": (NETS["disk"], predicted, "class.c", {}, "For example class_net.c"),
    "a header of C": (NETS["disk"], predicted, "string.c", {}, "would hide a header of C"),
    "weights elsewhere": (NETS["disk"], predicted, "a.c", {"weights": "file"}, "got 'file'"),
    "a limit without gradients": (NETS["disk"], predicted, "a.c", {"max_norm": 1.0}, "clips"),
    "two forms": (rectified, trained, "a.c", {}, "'rectified' changes"),
    "half precision": (half, predicted, "a.c", {}, "float16 has no form in C"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_writes_nothing(name, tmp_path):
    make, export, path, options, message = REFUSED[name]
    with pytest.raises(gn.GraphError, match=message):
        export(make(), tmp_path / path, **options)
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_predict_or_too_much(tmp_path):
    made = NETS["disk"]()
    with pytest.raises(gn.GraphError, match="the list is empty"):
        made.graph.export_c(tmp_path / "a.c", [], example={})
    with pytest.raises(gn.GraphError, match="the target is what is predicted"):
        predicted(made, tmp_path / "a.c", predict=made.outputs)
    with pytest.raises(gn.GraphError, match="makes one number smaller"):
        made.graph.export_c(tmp_path / "a.c", made.outputs[0], made.optimizer, example=made.example)


def test_sizes_that_do_not_fit_one_row(tmp_path):
    """The error is that of the walk, with the name of the node; with its own size all is well."""
    with gn.Graph() as graph:
        a, b = gn.Input((2, None), name="a"), gn.Input((None, 2), name="b")
        y = a @ b
    example = {"a": randn(2, 3), "b": randn(3, 2)}
    with pytest.raises(gn.ShapeError, match="'matmul'"):
        graph.export_c(tmp_path / "a.c", y, example=example)
    graph.export_c(tmp_path / "a.c", y, example=example, batch_size=3)
    with gn.Graph() as graph:
        y = gn.Input((2, 2), name="x") * 2
    with pytest.raises(gn.RangeError, match="whose first size is None"):
        graph.export_c(tmp_path / "a.c", y, example={"x": randn(2, 2)}, batch_size=2)


def test_files_are_replaced_and_a_folder_must_exist(tmp_path):
    made = NETS["disk"]()
    with pytest.raises(FileNotFoundError):
        predicted(made, tmp_path / "build" / "net.c")
    (tmp_path / "net.c").write_text("old", encoding="utf-8")
    report = predicted(made, tmp_path / "net")  # without the suffix
    assert sorted(report.files) == sorted(tmp_path.iterdir())
    assert all("old" not in path.read_text(encoding="utf-8") for path in report.files)


MASK = r"const float layer1_dropout_mask\[12\]"


def test_dropout_in_evaluation_mode_is_trained(tmp_path):
    made = dropped()
    made.graph.eval()
    assert trained(made, tmp_path / "net.c").functions == ("net_step",)
    assert not re.search(MASK, (tmp_path / "net.h").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("p", "remark"), [(0.5, "0 with probability 0.5, else 2"), (1.0, "0 with probability 1")]
)
def test_the_masks_of_dropout_are_arguments(p, remark, tmp_path):
    """Those of the example are drawn as training here would draw them, and none is used up."""
    torch.manual_seed(3)
    generator = torch.Generator().manual_seed(4)
    made = dropped(p, generator)
    states = torch.get_rng_state(), generator.get_state()
    report = trained(made, tmp_path / "net.c", batch_size=4)
    assert all(map(torch.equal, states, (torch.get_rng_state(), generator.get_state())))
    assert report.arguments == 4 * (8 + 8 + 12 + 1)  # x, t, the mask and the loss
    header = (tmp_path / "net.h").read_text(encoding="utf-8")
    assert re.search(MASK, header) and f"drawn anew for each call: {remark}\n" in header
    drawn = torch.cat([gn.ops.dropout(torch.ones(12), p, generator=generator) for _ in range(5)])
    example = (tmp_path / "net_example.h").read_text(encoding="utf-8")
    numbers = re.search(r"mask\[60\] = \{(.*?)\}", example, re.DOTALL)
    found = [float(each.strip().rstrip("f")) for each in numbers[1].split(",")]
    assert found == (drawn.tolist() if p < 1 else [0.0])


def test_a_prediction_that_always_draws_is_given_its_masks(tmp_path):
    with gn.Graph() as graph:
        y = gn.ops.dropout(gn.Input((None, 3), name="x"), 0.5, training=True)
    graph.export_c(tmp_path / "net.c", y, example={"x": randn(2, 3)})
    example = (tmp_path / "net_example.h").read_text(encoding="utf-8")
    assert "random, for 2 calls: 1 x 3 each" in example


def test_a_gradient_that_only_the_next_step_uses(tmp_path):
    """The loss does not reach its parameter; C has one form for all steps."""
    with gn.Graph() as graph:
        a, b = gn.Parameter(torch.ones(3)), gn.Parameter(torch.ones(3), name="b")
        loss = (graph.input((3,), name="x") * a).sum()
    sgd = gn.SGD([a, b], 0.1)
    b.grad = torch.full((3,), 0.25)
    options = {"example": {"x": torch.ones(3)}}
    with pytest.raises(gn.GraphError, match=r"'b'.*optimizer\.zero_grad"):
        graph.export_c(tmp_path / "net.c", loss, sgd, **options)
    sgd.step()
    graph.export_c(tmp_path / "net.c", loss, sgd, **options)
    weights = (tmp_path / "net_weights.h").read_text(encoding="utf-8")
    assert "0.25f" not in weights and "0.975f" not in weights  # b is not in C


def test_a_rate_of_0_is_an_argument_too(tmp_path):
    """A warm-up begins with it."""
    made = NETS["disk"]()
    made.optimizer.lr = 0.0
    trained(made, tmp_path / "net.c")
    header = (tmp_path / "net.h").read_text(encoding="utf-8")
    assert "  float lr; /* the learning rate */" in header
    assert "#define NET_LR 0.0f" in header


def test_text_of_names_ends_no_comment(tmp_path):
    graph = gn.Graph()
    y = graph.input((2,), name="a*/ int b; /*\\") * 2
    graph.export_c(tmp_path / "net.c", y, example={graph[0]: torch.ones(2)})
    for path in tmp_path.iterdir():
        text = path.read_text(encoding="utf-8")
        assert text.count("/*") == text.count("*/") and "\\\n" not in text
