"""Columns by their names."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from data.frames import Frame

import graphnet as gn

CSV = "a,b,t,kind,note\n1,0.5,0,cat,x\n2,1.5,1,dog,y\n3,2.5,1,cat,z\n"
X = [[1.0, 0.5], [2.0, 1.5], [3.0, 2.5]]


def fake(tmp_path):
    return Frame(a=[1, 2, 3], b=[0.5, 1.5, 2.5], t=[0, 1, 1], kind=["cat", "dog", "cat"])


def of_pandas(tmp_path):
    pandas = pytest.importorskip("pandas", reason="needs: pip install pandas")
    return pandas.read_csv(of_csv(tmp_path))


def of_polars(tmp_path):
    polars = pytest.importorskip("polars", reason="needs: pip install polars")
    return polars.read_csv(of_csv(tmp_path))


def of_csv(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def read_csv(tmp_path):
    pytest.importorskip("polars", reason="needs: pip install polars")
    return str(of_csv(tmp_path))


def read_parquet(tmp_path):
    of_polars(tmp_path).write_parquet(tmp_path / "table.parquet")
    return tmp_path / "table.parquet"


FORMS = [fake, of_pandas, of_polars, read_csv, read_parquet]


@pytest.mark.parametrize("form", FORMS)
def test_columns_become_tensors(form, tmp_path):
    source = form(tmp_path)
    x, t = gn.data.columns(source, ["a", "b"], "t")
    assert x.dtype == torch.float32
    assert t.dtype == torch.int64
    assert x.tolist() == X
    assert t.tolist() == [0, 1, 1]
    x, t = gn.data.columns(source, "b", ["a", "t"])
    assert x.tolist() == [[0.5], [1.5], [2.5]]
    assert t.tolist() == [[1, 0], [2, 1], [3, 1]]
    assert gn.data.columns(source, "b")[1] is None
    assert gn.data.columns(source, ["a"], "b")[1].dtype == torch.float32


@pytest.mark.parametrize("form", FORMS)
def test_texts_are_classes(form, tmp_path):
    source = form(tmp_path)
    assert gn.data.columns(source, "a", "kind")[1].tolist() == [0, 1, 0]
    named = gn.data.columns(source, "a", "kind", classes=["mouse", "dog", "cat"])
    assert named[1].tolist() == [2, 1, 2]
    with pytest.raises(gn.RangeError, match=r"'kind' has 'dog', which is none of \['cat'\]"):
        gn.data.columns(source, "a", "kind", classes=["cat"])


@pytest.mark.parametrize("form", FORMS)
def test_what_cannot_be_read_is_refused(form, tmp_path):
    source = form(tmp_path)
    with pytest.raises(gn.FeedError, match="has no column 'q'; it has 'a', 'b', 't', 'kind'"):
        gn.data.columns(source, ["a", "q"], "t")
    with pytest.raises(gn.FeedError, match="no column 'q'"):
        gn.data.columns(source, ["a"], "q")
    with pytest.raises(gn.DtypeError, match="Column 'kind' holds texts, which only a single targ"):
        gn.data.columns(source, ["kind"], "t")
    with pytest.raises(gn.DtypeError, match="Column 'kind' holds texts"):
        gn.data.columns(source, "a", ["kind", "t"])
    with pytest.raises(gn.DtypeError, match="Column 't' must hold a text in each row; got 0"):
        gn.data.columns(source, "a", "t", classes=["a"])


@pytest.mark.parametrize("form", [of_pandas, of_polars])
def test_missing_values_are_counted(form, tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "CSV", "a,t,kind\n1,0,cat\n,1,\n,1,dog\n")
    source = form(tmp_path)
    with pytest.raises(gn.DtypeError, match=r"Column 'a' has 2 missing values \(NaN\)"):
        gn.data.columns(source, "a", "t")
    with pytest.raises(gn.DtypeError, match="Column 'kind' must hold a text in each row"):
        gn.data.columns(source, "t", "kind")


@pytest.mark.parametrize(
    ("name", "text", "error", "words"),
    [
        ("gone.csv", None, gn.LoadError, "gone.csv cannot be read as a table"),
        ("table.txt", "a\n1\n", gn.GraphError, "ends in .csv or .parquet"),
        ("empty.csv", "", gn.LoadError, "empty.csv cannot be read"),
        ("bad.parquet", "no parquet", gn.LoadError, "bad.parquet cannot be read"),
    ],
)
def test_a_file_that_is_no_table_is_refused(name, text, error, words, tmp_path):
    pytest.importorskip("polars", reason="needs: pip install polars")
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(error, match=words):
        gn.data.columns(tmp_path / name, "a")


def test_without_polars_the_way_out_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(gn.GraphError, match=r"pip install 'graphnet\[tables\]'"):
        gn.data.columns(tmp_path / "table.csv", "a")


@pytest.mark.parametrize("source", [(1, 2), torch.ones(2), {"a": [1]}, 3, None, [{"a": 1}]])
def test_what_has_no_columns_is_refused(source):
    with pytest.raises(gn.GraphError, match="the source of columns must be a frame"):
        gn.data.columns(source, "a")


def test_names_are_texts():
    with pytest.raises(gn.GraphError, match="names of columns must be a text or a list"):
        gn.data.columns(fake(None), [1])
    with pytest.raises(gn.GraphError, match="the name of one input at least"):
        gn.data.columns(fake(None), [])
    with pytest.raises(gn.GraphError, match="classes are for the texts of frames"):
        gn.data.columns(iter([]), "a", classes=["x"])


def test_a_row_is_chosen_from_by_name():
    rows = gn.data.columns(iter([]), ["a", "b"], "t")
    batch = {"t": np.ones(2), "a": torch.ones(2), "b": torch.zeros(2), "note": ["x", "y"]}
    inputs, targets = rows.chosen(batch)
    assert inputs[0] is batch["a"]
    assert targets[0] is batch["t"]
    assert gn.data.columns(iter([]), "a").chosen(batch)[1] is None
    with pytest.raises(gn.FeedError, match="A row has no column 'b'; it has 'a'"):
        rows.chosen({"a": 1})
    with pytest.raises(gn.FeedError, match="rows or batches that are dicts; got list"):
        rows.chosen([1, 2])
    with pytest.raises(gn.DtypeError, match="Column 'note' holds texts"):
        gn.data.columns(iter([]), "note").chosen(batch)
