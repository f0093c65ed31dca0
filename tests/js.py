"""JavaScript that tests run: by node, or in headless Chromium where there is no node.

run("return given.x.map((each) => each + 1)", x=tensor([1.0, 2.0]))
"""

from __future__ import annotations

import base64
import ctypes
import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from browser import chromium
from torch import Tensor

ARRAYS = {
    torch.float32: "Float32Array",
    torch.float64: "Float64Array",
    torch.int64: "Int32Array",
    torch.int32: "Int32Array",
    torch.int8: "Int8Array",
    torch.uint8: "Uint8Array",
    torch.bool: "Uint8Array",
}
DTYPES = {"Float32Array": torch.float32, "Float64Array": torch.float64, "Int32Array": torch.int32}
DTYPES |= {"Int8Array": torch.int8, "Uint8Array": torch.uint8}

# Numbers travel as their bytes: JSON has no NaN and no infinities.
TRAVEL = """
function decoded(value) {
  if (Array.isArray(value)) return value.map(decoded);
  if (value === null || typeof value !== "object") return value;
  if ("bytes" in value) {
    const bytes = Uint8Array.from(atob(value.bytes), (sign) => sign.charCodeAt(0));
    return new globalThis[value.kind](bytes.buffer);
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, decoded(each)]));
}
function encoded(value) {
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768)
      text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return { kind: value.constructor.name, bytes: btoa(text) };
  }
  if (Array.isArray(value)) return value.map(encoded);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, encoded(each)]));
}
"""


def _bytes(data: Tensor) -> bytes:
    return ctypes.string_at(data.data_ptr(), data.nbytes) if data.nbytes else b""


def _encoded(value: Any) -> Any:
    if isinstance(value, Tensor):
        kind = ARRAYS[value.dtype]
        data = value.detach().contiguous().to(DTYPES[kind]).flatten()
        return {"kind": kind, "bytes": base64.b64encode(_bytes(data)).decode()}
    if isinstance(value, dict):
        return {key: _encoded(each) for key, each in value.items()}
    return [_encoded(each) for each in value] if isinstance(value, list | tuple) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, dict):
        if "bytes" in value:
            data = bytearray(base64.b64decode(value["bytes"]))
            dtype = DTYPES[value["kind"]]
            return torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        return {key: _decoded(each) for key, each in value.items()}
    return [_decoded(each) for each in value] if isinstance(value, list) else value


def run(script: str, *, in_chromium: bool = False, **given: Any) -> Any:
    """What a script returns; it reads what it is given by `given`. Tensors become flat arrays.

    The test is skipped where neither node nor Chromium is installed.
    """
    data = json.dumps(json.dumps(_encoded(given))).replace("<", "\\u003c")
    text = f"{TRAVEL}\nfunction main(given) {{\n{script}\n}}\n"
    text += f"const result = JSON.stringify(encoded(main(decoded(JSON.parse({data})))));\n"
    has_node = not in_chromium and shutil.which("node") is not None
    return _decoded(json.loads(_by_node(text) if has_node else _by_page(text)))


def _by_node(text: str) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "script.js"
        path.write_text(text + "process.stdout.write(result);\n", encoding="utf-8")
        command = ["node", str(path)]
        made = subprocess.run(command, check=False, capture_output=True, timeout=300)
    assert not made.returncode, made.stderr.decode()[-3000:]
    return made.stdout.decode()


def _by_page(text: str) -> str:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(f"<!doctype html><script>{text}</script>", encoding="utf-8")
        with chromium(path) as page:
            return str(page.run("result"))
