"""Tiles: the innermost part of a contraction, whose sums stay in registers.

`tile6x4` keeps six rows of four vectors; `dots3x3` keeps nine sums whose terms are vectors. A tile
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

    @property
    def sums(self) -> int:
        """How many vectors of sums fit into the registers, beside those of the factors."""
        nbytes = self.lanes * (4 if self.of == "float" else 8)
        return 24 if nbytes == 64 else 12

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

    The last vector begins at `last`; if that is before the end of the one beside it, both compute
    the same numbers where they overlap.
    """
    vector, of = kind.vector, kind.of
    cells = [(r, c) for r in range(rows) for c in range(columns)]
    at = [*(str(c * kind.lanes) for c in range(columns - 1)), "last"]
    names = ", ".join(f"s{r}{c} = zero" for r, c in cells)
    begin = "".join(
        f"    s{r}{c} = start_{vector}(start + {r} * s->start_row, {at[c]}, s->start_column);\n"
        for r, c in cells
    )
    read = "".join(
        f"        const {vector} y{c} = load_{vector}(y_at + {at[c]});\n" for c in range(columns)
    )
    sums = "".join(
        f"        {{ const {vector} x_ = all_{vector}(x_at[{r} * s->x_row]); "
        + " ".join(f"s{r}{c} += x_ * y{c};" for c in range(columns))
        + " }\n"
        for r in range(rows)
    )
    write = "".join(
        f"  store_{vector}(out + {r} * s->out_row + {at[c]}, s{r}{c});\n" for r, c in cells
    )
    return f"""\
static void {tile_name(kind, rows, columns)}(
    const Strides *s, int last, const {of} *x, const {of} *y, const {of} *start, {of} *out) {{
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
{_added_up(kind, cells)}}}"""


def _added_up(kind: Kind, cells: list[tuple[int, int]]) -> str:
    """The lines that add up the lanes of each sum: vectors in pairs, so that all are added at once.

    Half of the lanes of a pair are those of the first sum, half those of the second; then quarters
    are those of four sums, and so on, until each lane is a sum of its own.
    """
    start = "(start ? start[{r} * s->start_row + {c} * s->start_column] : 0)"
    stored = f"  out[{{r}} * s->out_row + {{c}} * s->out_column] = {{value}} + {start};\n"
    if kind.lanes == 1:
        return "".join(stored.format(r=r, c=c, value=f"s{r}{c}") for r, c in cells)
    lines = [f"  {kind.of} lanes[{kind.lanes}];\n"]
    for first in range(0, len(cells), kind.lanes):
        group = cells[first : first + kind.lanes]
        vectors = [(f"s{r}{c}", [place] * kind.lanes) for place, (r, c) in enumerate(group)]
        half = kind.lanes // 2
        while half:
            others = [*vectors[1::2], vectors[-1]]
            pairs = list(zip(vectors[::2], others, strict=False))
            vectors = [
                (f"t{first}_{half}_{i}", _paired(half, a[1], b[1]))
                for i, (a, b) in enumerate(pairs)
            ]
            lines += [
                f"  const {kind.vector} {name} = pair{half}_{kind.vector}({a[0]}, {b[0]});\n"
                for (name, _), (a, b) in zip(vectors, pairs, strict=True)
            ]
            half //= 2
        name, order = vectors[0]
        lines.append(f"  store_{kind.vector}(lanes, {name});\n")
        lines += [
            stored.format(r=r, c=c, value=f"lanes[{order.index(place)}]")
            for place, (r, c) in enumerate(group)
        ]
    return "".join(lines)


def _paired(half: int, a: list[int], b: list[int]) -> list[int]:
    """Which sum each lane of a pair belongs to."""
    blocks = range(0, len(a), 2 * half)
    return [place for i in blocks for each in (a, b) for place in each[i : i + half]]


CHOOSE = """\
#if defined(__clang__) || __GNUC__ >= 12
#define CHOOSE(places, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define CHOOSE(places, a, b, ...) __builtin_shuffle(a, b, (places){__VA_ARGS__})
#endif"""


def places_type(kind: Kind) -> str:
    """The type of a vector that says which lanes are chosen."""
    size, of = (4, "int32_t") if kind.of == "float" else (8, "int64_t")
    size *= kind.lanes
    return f"typedef {of} {kind.vector}_places __attribute__((vector_size({size})));"


def pair_functions(kind: Kind) -> str:
    """Lanes of two vectors added to the lanes that stand half of a block after them."""
    name, lanes = kind.vector, range(kind.lanes)
    lines: list[str] = []
    half = kind.lanes // 2
    while half:
        first = _paired(half, [*lanes], [kind.lanes + each for each in lanes])
        given = (", ".join(str(each + shift) for each in first) for shift in (0, half))
        terms = " +\n    ".join(f"CHOOSE({name}_places, a, b, {each})" for each in given)
        lines += [
            f"static inline {name} pair{half}_{name}({name} a, {name} b) {{",
            f"  return {terms};",
            "}",
        ]
        half //= 2
    return "\n".join(lines)


def part_function(kind: Kind) -> str:
    """A vector of the first few numbers, with zeros behind."""
    name, of, lanes = kind.vector, kind.of, kind.lanes
    return f"""\
static inline {name} part_{name}(int count, const {of} *from) {{
  {of} a[{lanes}];
  #pragma omp simd
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
