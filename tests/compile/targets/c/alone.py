"""Programs in C that run in a process of their own, by a driver in C.

A library for the address sanitizer, or for another processor, cannot be loaded here. The driver
allocates every piece of memory alone: what is read or written beside it is an error.
"""

from __future__ import annotations

import ctypes
import struct
import subprocess

import torch

from graphnet.compile.targets.c.compilers import accepted

DRIVER = """
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
int64_t graphnet_step(void *const *, void *const *, const double *, char *);
static int64_t size_of(FILE *file) {
  int64_t n;
  if (fread(&n, 8, 1, file) != 1) exit(3);
  return n;
}
static void *part(FILE *file, int64_t n) { /* with exactly the bytes that a program may use */
  void *to = malloc((size_t)n);
  if (n && fread(to, 1, (size_t)n, file) != (size_t)n) exit(3);
  return to;
}
static void *room(int64_t n) {
  void *to = aligned_alloc(64, (size_t)(n + 63) / 64 * 64);
  memset(to, 255, (size_t)n);
  return to;
}
int main(int count, char **names) {
  FILE *file = fopen(names[1], "rb"), *after = fopen(names[2], "wb");
  (void)count;
  if (!file || !after) return 3;
  const int64_t kept = size_of(file), given = size_of(file), nbytes = size_of(file);
  void *cells[kept + 1], *fed[given + 1];
  int64_t sizes[kept + 1];
  for (int64_t i = 0; i < kept; i++) {
    sizes[i] = size_of(file);
    cells[i] = part(file, sizes[i]);
  }
  for (int64_t i = 0; i < given; i++) fed[i] = part(file, size_of(file));
  double *numbers = part(file, size_of(file));
  char *scratch = room(nbytes);
  for (int i = 0; i < 2; i++) { /* leftovers of the first time do not matter */
    const int64_t code = graphnet_step(cells, fed, numbers, scratch);
    if (code) { printf("check %d", (int)code); return 4; }
  }
  for (int64_t i = 0; i < kept; i++) fwrite(cells[i], 1, (size_t)sizes[i], after);
  fwrite(scratch, 1, (size_t)nbytes, after);
  for (int64_t i = 0; i < kept; i++) free(cells[i]);
  for (int64_t i = 0; i < given; i++) free(fed[i]);
  free(numbers);
  free(scratch);
  fclose(file);
  return fclose(after) ? 3 : 0;
}
"""


class Alone:
    """A program with its driver.

    Args:
        folder: for its files.
        program: what was printed.
        command: the compiler, with the flags that it needs.
        optional: flags that are left out if it refuses them.
        emulator: what runs the program; nothing if this processor does.
    """

    def __init__(self, folder, program, command, optional=(), emulator=()):
        self.folder, self.program, self.emulator = folder, program, emulator
        (folder / "program.c").write_text(program.source, encoding="utf-8")
        (folder / "driver.c").write_text(DRIVER, encoding="utf-8")
        done = self._compiled(command, optional)
        if done.returncode:
            done = self._compiled(command, accepted(optional, done.stderr) or ())
        assert done.returncode == 0, done.stderr

    def _compiled(self, command, flags):
        command = [*command, *flags, "-o", "program", "driver.c", "program.c", "-lm"]
        return self._done(command)

    def _done(self, command, **options):
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, encoding="utf-8", check=False, **options
        )

    def run(self, fed, numbers=()):
        """Make two steps that are fed tensors, beginning with the cells as they are here."""
        cells = [bytes_of(each.memory, whole=True) for each in self.program.cells]
        sizes = struct.pack("<3q", len(cells), len(fed), self.program.scratch)
        given = struct.pack(f"<{len(numbers)}d", *numbers)
        parts = [*cells, *map(bytes_of, fed), given]
        record = b"".join(len(each).to_bytes(8, "little") + each for each in parts)
        (self.folder / "before").write_bytes(sizes + record)
        command = [*self.emulator, str(self.folder / "program"), "before", "after"]
        done = self._done(command, env={"ASAN_OPTIONS": "detect_leaks=0"})
        assert done.returncode == 0, done.stdout + done.stderr
        self._after, self._starts, start = (self.folder / "after").read_bytes(), {}, 0
        for buffer, each in zip(self.program.cells, cells, strict=True):
            self._starts[buffer] = start
            start += len(each)
        self._starts |= {each: start + at for each, at in self.program.starts.items()}

    def value(self, slot):
        """What lies in a slot after a run."""
        size, start = slot.dtype.itemsize, 0 if 0 in slot.shape else self._starts[slot.buffer]
        stop = start + (len(self._after) - start) // size * size
        whole = torch.frombuffer(bytearray(self._after[start:stop]), dtype=slot.dtype)
        return whole.as_strided(slot.shape, slot.strides, slot.offset).clone()


def bytes_of(tensor, whole=False):
    """The bytes of a tensor, or of all that it lies in."""
    if not whole:
        tensor = tensor.contiguous()
        return ctypes.string_at(tensor.data_ptr(), tensor.nbytes)
    storage = tensor.untyped_storage()
    return ctypes.string_at(storage.data_ptr(), storage.nbytes())
