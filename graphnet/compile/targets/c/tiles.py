"""Tiles: the innermost part of a contraction, whose sums stay in registers.

`tile6x2` keeps six rows of two vectors; `dots3x3` keeps nine sums whose terms are vectors. A tile
goes through up to three summed axes. It is text made by a table, because compilers keep named
variables in registers, and arrays only if they are lucky.
"""

from __future__ import annotations

from typing import NamedTuple


class Kind(NamedTuple):
    """A type of numbers with a number of lanes.

    Attributes:
        of: the type of a number.
        lanes: how many numbers a vector has; 1 for plain numbers.
    """

    of: str
    lanes: int

    @property
    def vector(self) -> str:
        """The name of the type of a vector."""
        return self.of if self.lanes == 1 else f"{self.of}{self.lanes}"

    def halves(self) -> list[Kind]:
        """A half of a vector, a half of that, and so on to a number."""
        return [Kind(self.of, self.lanes >> shift) for shift in range(1, self.lanes.bit_length())]

    @property
    def suffix(self) -> str:
        """The end of the names of its tiles."""
        return f"_{self.vector}"


def vector_type(kind: Kind) -> str:
    """The definition of a vector, and how it is read and written at any address."""
    name, of, lanes = kind.vector, kind.of, kind.lanes
    if lanes == 1:
        return f"""\
static inline {of} load_{name}(const {of} *from) {{ return *from; }}
static inline void store_{name}({of} *to, {of} x) {{ *to = x; }}
static inline {of} all_{name}({of} x) {{ return x; }}"""
    size = lanes * (4 if of == "float" else 8)
    return f"""\
typedef {of} {name} __attribute__((vector_size({size})));
typedef {of} {name}_anywhere
    __attribute__((vector_size({size}), aligned({size // lanes}), may_alias));
static inline {name} load_{name}(const {of} *from) {{ return *(const {name}_anywhere *)from; }}
static inline void store_{name}({of} *to, {name} x) {{ *({name}_anywhere *)to = x; }}
static inline {name} all_{name}({of} x) {{ return x - ({name}){{0}}; }}"""


STRIDES = """\
typedef struct { /* how far apart the numbers of a product lie, along each axis */
  int inner[3], x_inner[3], y_inner[3];
  int x_row, y_column, start_row, start_column, out_row, out_column;
} Strides;"""


def tile(kind: Kind, rows: int, columns: int) -> str:
    """out[r][c] = start[r][c] + the sum over k of x[r][k] y[k][c], for vectors of columns.

    The vectors begin `step` columns apart; if that is less than they are wide, both compute the
    same numbers where they overlap.
    """
    vector, of = kind.vector, kind.of
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    names = ", ".join(f"s{r}{c} = zero" for r, c in cells)
    begin = "".join(
        f"    s{r}{c} = start_{vector}(start + {r} * s->start_row, {c} * step, s->start_column);\n"
        for r, c in cells
    )
    read = "".join(
        f"        const {vector} y{c} = load_{vector}(y_at + {c} * step);\n" for c in range(columns)
    )
    sums = "".join(
        f"        {{ const {vector} x_ = all_{vector}(x_at[{r} * s->x_row]); "
        + " ".join(f"s{r}{c} += x_ * y{c};" for c in range(columns))
        + " }\n"
        for r in range(rows)
    )
    write = "".join(
        f"  store_{vector}(out + {r} * s->out_row + {c} * step, s{r}{c});\n" for r, c in cells
    )
    return f"""\
static void {tile_name(kind, rows, columns)}(
    const Strides *s, int step, const {of} *x, const {of} *y, const {of} *start, {of} *out) {{
  const {vector} zero = {{0}};
  {vector} {names};
  if (start) {{
{begin}  }}
  for (int i = 0; i < s->inner[0]; i++)
    for (int j = 0; j < s->inner[1]; j++) {{
      const {of} *x_at = x + i * s->x_inner[0] + j * s->x_inner[1];
      const {of} *y_at = y + i * s->y_inner[0] + j * s->y_inner[1];
      for (int k = 0; k < s->inner[2]; k++, x_at += s->x_inner[2], y_at += s->y_inner[2]) {{
{read}{sums}      }}
    }}
{write}}}"""


def start_function(kind: Kind) -> str:
    """What a sum starts with: numbers side by side, or one for all columns."""
    name = kind.vector
    return f"""\
static inline {name} start_{name}(const {kind.of} *from, int column, int step) {{
  return step ? load_{name}(from + column) : all_{name}(*from);
}}"""


def dots(kind: Kind, rows: int, columns: int) -> str:
    """out[r][c] = start[r][c] + the sum over k of x[r][k] y[c][k], for vectors of k."""
    vector, of, lanes = kind.vector, kind.of, kind.lanes
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    names = ", ".join(f"s{r}{c} = {{0}}" for r, c in cells)

    def sums(load: str) -> str:
        read = "".join(
            f"        const {vector} y{c} = {load}(y_at + {c} * s->y_column + k);\n"
            for c in range(columns)
        )
        return read + "".join(
            f"        {{ const {vector} x_ = {load}(x_at + {r} * s->x_row + k); "
            + " ".join(f"s{r}{c} += x_ * y{c};" for c in range(columns))
            + " }\n"
            for r in range(rows)
        )

    write = "".join(
        f"  out[{r} * s->out_row + {c} * s->out_column] = sum_{vector}(s{r}{c})\n"
        f"    + (start ? start[{r} * s->start_row + {c} * s->start_column] : 0);\n"
        for r, c in cells
    )
    tail = ""
    if lanes > 1:
        part = sums("PART").replace("PART(", f"part_{vector}(rest, ")
        tail = f"""\
      const int rest = s->inner[2] - k;
      if (rest) {{
{part}      }}
"""
    return f"""\
static void {dots_name(kind, rows, columns)}(
    const Strides *s, const {of} *x, const {of} *y, const {of} *start, {of} *out) {{
  {vector} {names};
  for (int i = 0; i < s->inner[0]; i++)
    for (int j = 0; j < s->inner[1]; j++) {{
      const {of} *x_at = x + i * s->x_inner[0] + j * s->x_inner[1];
      const {of} *y_at = y + i * s->y_inner[0] + j * s->y_inner[1];
      int k = 0;
      for (; k + {lanes} <= s->inner[2]; k += {lanes}) {{
{sums(f"load_{vector}")}      }}
{tail}    }}
{write}}}"""


def sum_function(kind: Kind) -> str:
    """The sum of the lanes of a vector, by halves; that of the halves stands before it."""
    name, of, half = kind.vector, kind.of, Kind(kind.of, kind.lanes // 2)
    if kind.lanes == 1:
        return f"static inline {of} sum_{name}({of} x) {{ return x; }}"
    return f"""\
static inline {of} sum_{name}({name} x) {{
  {of} lanes[{kind.lanes}];
  store_{name}(lanes, x);
  return sum_{half.vector}(load_{half.vector}(lanes) + load_{half.vector}(lanes + {half.lanes}));
}}"""


def part_function(kind: Kind) -> str:
    """A vector of the first few numbers, with zeros behind."""
    name, of, lanes = kind.vector, kind.of, kind.lanes
    return f"""\
static inline {name} part_{name}(int count, const {of} *from) {{
  {of} a[{lanes}];
  for (int i = 0; i < {lanes}; i++) a[i] = i < count ? from[i] : 0;
  {name} x;
  memcpy(&x, a, sizeof x);
  return x;
}}"""


def tile_name(kind: Kind, rows: int, columns: int) -> str:
    """The name of a tile."""
    return f"tile{rows}x{columns}{kind.suffix}"


def dots_name(kind: Kind, rows: int, columns: int) -> str:
    """The name of a tile whose vectors run along a summed axis."""
    return f"dots{rows}x{columns}{kind.suffix}"
