"""The functions that printed programs call: each is part of the text only if it is used.

exp, log and tanh of float are written out, without branches, so that compilers compute vectors of
them. They are at most 2.5 units in the last place off.

Source: Moshier, Methods and Programs for Mathematical Functions (1989), the Cephes library.
"""

from __future__ import annotations

FUNCTIONS = {
    "bits": """\
static inline float float_of_bits(uint32_t bits) {
  float x;
  memcpy(&x, &bits, sizeof x);
  return x;
}
static inline int32_t bits_of_float(float x) {
  int32_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}""",
    "series_of_exp": """\
static inline float series_of_exp(float r) { /* e^r - 1 for |r| <= ln(2) / 2 */
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  return p * r * r + r;
}""",
    "exp_float": """\
static inline float exp_float(float x) { /* 2^n e^r with |r| <= ln(2) / 2 */
  const float rounder = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
  float limited = x > 89.0f ? 89.0f : x < -104.0f ? -104.0f : x;
  float shifted = limited * 1.44269504f + rounder;
  float n = shifted - rounder;
  float r = limited - n * 0.693359375f + n * 2.12194440e-4f;
  float p = series_of_exp(r) + 1.0f;
  int32_t power = bits_of_float(shifted) - bits_of_float(rounder);
  int32_t half = power >> 1; /* in two steps, so that subnormal results are reached */
  float a = float_of_bits((uint32_t)(half + 127) << 23); /* of NaN, too many bits for a sign */
  return p * a * float_of_bits((uint32_t)(power - half + 127) << 23);
}""",
    "expm1_float": """\
static inline float expm1_float(float x) { /* 2^n (e^r - 1) + (2^n - 1), but 2^n may overflow */
  const float rounder = 12582912.0f;
  float limited = x > 88.9f ? 88.9f : x < -88.0f ? -88.0f : x;
  float shifted = limited * 1.44269504f + rounder;
  float n = shifted - rounder;
  float r = limited - n * 0.693359375f + n * 2.12194440e-4f;
  float p = series_of_exp(r);
  int32_t power = bits_of_float(shifted) - bits_of_float(rounder);
  int32_t half = power >> 1;
  float a = float_of_bits((uint32_t)(half + 127) << 23);
  float b = float_of_bits((uint32_t)(power - half + 127) << 23);
  float whole = x > 80.0f ? (p + 1.0f) * a * b : p * a * b + (a * b - 1.0f);
  return x > 88.8f ? x * 3e38f : x == 0.0f ? x : whole;
}""",
    "tanh_float": """\
static inline float tanh_float(float x) { /* (e^2a - 1) / (e^2a + 1) for a = |x| */
  const float rounder = 12582912.0f; /* 1.5 * 2^23: adding it rounds to an integer */
  float a = x < 0.0f ? -x : x;
  float limited = a > 10.0f ? 10.0f : a;
  float shifted = limited * 2.88539008f + rounder;
  float n = shifted - rounder;
  float r = 2.0f * limited - n * 0.693359375f + n * 2.12194440e-4f;
  int32_t exponent = bits_of_float(shifted) - bits_of_float(rounder) + 127;
  float power = float_of_bits((uint32_t)exponent << 23);
  float t = series_of_exp(r) * power + (power - 1.0f);
  return copysignf(t / (t + 2.0f), x);
}""",
    "log_float": """\
static inline float log_float(float x) { /* n ln(2) + log(m) with m from sqrt(1/2) to sqrt(2) */
  float scaled = x < 1.17549435e-38f ? x * 8388608.0f : x;
  int32_t bits = bits_of_float(scaled);
  int32_t power = (bits >> 23) - 126;
  float m = float_of_bits(((uint32_t)bits & 0x007fffff) | 0x3f000000);
  float small = m < 0.707106781f ? 1.0f : 0.0f;
  float n = (float)power - small - (x < 1.17549435e-38f ? 23.0f : 0.0f);
  m = m - 1.0f + small * m;
  float p = 7.0376836292e-2f;
  p = p * m - 1.1514610310e-1f;
  p = p * m + 1.1676998740e-1f;
  p = p * m - 1.2420140846e-1f;
  p = p * m + 1.4249322787e-1f;
  p = p * m - 1.6668057665e-1f;
  p = p * m + 2.0000714765e-1f;
  p = p * m - 2.4999993993e-1f;
  p = p * m + 3.3333331174e-1f;
  float y = m * m * m * p - n * 2.12194440e-4f - 0.5f * m * m + m + n * 0.693359375f;
  y = x == INFINITY ? x : y;
  y = x == 0.0f ? -INFINITY : y;
  return x >= 0.0f ? y : NAN;
}""",
    "log1p_float": """\
static inline float log1p_float(float x) { /* log(u) x / (u - 1) for u = 1 + x, rounded */
  float u = 1.0f + x;
  float y = log_float(u) * (x / (u - 1.0f));
  return u == 1.0f ? x : u == INFINITY ? u : y;
}""",
}
"""The text of each function."""

NEEDS: dict[str, tuple[str, ...]] = {
    "exp_float": ("bits", "series_of_exp"),
    "expm1_float": ("bits", "series_of_exp"),
    "tanh_float": ("bits", "series_of_exp"),
    "log_float": ("bits",),
    "log1p_float": ("log_float",),
}
"""What each function calls."""


def _extreme(name: str, sign: str, kind: str) -> str:
    """The larger or smaller of two numbers; NaN if one of them is."""
    better = f"b {sign} a"
    if kind in ("float", "double"):
        better = f"(({better}) | (b != b))"
    return (
        f"static inline {kind} {name}_{kind}({kind} a, {kind} b) {{\n  return {better} ? b : a;\n}}"
    )


KINDS = ("float", "double", "int64_t", "int32_t", "int8_t", "uint8_t", "bool")
for _kind in KINDS:
    FUNCTIONS[f"maximum_{_kind}"] = _extreme("maximum", ">", _kind)
    FUNCTIONS[f"minimum_{_kind}"] = _extreme("minimum", "<", _kind)
    FUNCTIONS[f"sign_{_kind}"] = (
        f"static inline {_kind} sign_{_kind}({_kind} x) {{\n"
        f"  return ({_kind})((x > 0) - (x < 0));\n}}"
    )
    _is_long = _kind in ("int64_t", "int32_t")  # of the smallest, -x is too large for a long type
    _size = f"x < 0 ? ({_kind})(0 - (u{_kind})x) : x" if _is_long else f"({_kind})(x < 0 ? -x : x)"
    FUNCTIONS[f"abs_{_kind}"] = (
        f"static inline {_kind} abs_{_kind}({_kind} x) {{\n  return {_size};\n}}"
    )


def _integer(kind: str, of: str) -> str:
    """A floating-point number without its fraction.

    What is too large is undefined in C; here it is what x86 makes of it, and so torch: the smallest
    number of a long type, and the last bits of a long one for a short type.
    """
    name = f"static inline {kind} {kind}_of_{of}({of} x) {{"
    if kind in ("int8_t", "uint8_t"):
        long = "int32_t" if kind == "int8_t" else "int64_t"
        return f"{name}\n  return ({kind}){long}_of_{of}(x);\n}}"
    limit = f"{2.0 ** (31 if kind == 'int32_t' else 63)}{'f' if of == 'float' else ''}"
    least = f"{kind.removesuffix('_t').upper()}_MIN"
    above = f"x > -{limit} - 1.0" if (kind, of) == ("int32_t", "double") else f"x >= -{limit}"
    return f"{name}\n  return ({above}) & (x < {limit}) ? ({kind})x : {least};\n}}"


for _of in ("float", "double"):
    for _kind in ("int64_t", "int32_t", "int8_t", "uint8_t"):
        FUNCTIONS[f"{_kind}_of_{_of}"] = _integer(_kind, _of)
    NEEDS[f"int8_t_of_{_of}"] = (f"int32_t_of_{_of}",)
    NEEDS[f"uint8_t_of_{_of}"] = (f"int64_t_of_{_of}",)


def functions(used: set[str]) -> str:
    """The text of some functions, and of all that they call."""
    needed = set(used)
    waiting = [*used]
    while waiting:
        for each in NEEDS.get(waiting.pop(), ()):
            if each not in needed:
                needed.add(each)
                waiting.append(each)
    return "\n".join(text for name, text in FUNCTIONS.items() if name in needed)
