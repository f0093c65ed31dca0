"""Small data sets in the form of MNIST, and a server on this machine that has them."""

from __future__ import annotations

import gzip
import hashlib
import struct
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import torch

from graphnet.data.download import Source


def idx(tensor):
    """The bytes of a uint8 tensor as an IDX file."""
    sizes = struct.pack(f">{tensor.ndim}I", *tensor.shape)
    return bytes([0, 0, 8, tensor.ndim]) + sizes + bytes(tensor.flatten().tolist())


def digits(train=20, test=10):
    """Four tensors like those of MNIST, with few images of 4 x 6 pixels."""
    generator = torch.Generator().manual_seed(0)

    def several(count):
        images = torch.randint(256, (count, 4, 6), generator=generator, dtype=torch.uint8)
        return images, torch.arange(count).remainder(10).to(torch.uint8)

    return *several(train), *several(test)


NAMES = ("train-images", "train-labels", "test-images", "test-labels")
RAW = {name: idx(tensor) for name, tensor in zip(NAMES, digits(), strict=True)}
PACKED = {f"{name}.gz": gzip.compress(data, mtime=0) for name, data in RAW.items()}


def md5(data):
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


SOURCES = tuple(Source(name, md5(PACKED[f"{name}.gz"]), md5(RAW[name])) for name in NAMES)


def fill(folder, files):
    """Write files, given as names and bytes, to a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@contextmanager
def mirror(files):
    """A server that has these files; returns its address and the list of requested paths."""
    requested = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            requested.append(self.path.rpartition("/")[2])
            data = files.get(requested[-1])
            self.send_response(404 if data is None else 200)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/mnist", requested
        finally:
            server.shutdown()
            thread.join()
