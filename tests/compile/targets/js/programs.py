"""Printed programs, many in one run of JavaScript."""

from __future__ import annotations

from graphnet.compile.targets.js.program import PrintedProgram

# One walk of each kind, and what it left in the arrays.
WALK = """
return given.runs.map(({ program, batch, state, inputs, grad, outputs }) => {
  try {
    const made = programs[program](batch, state);
    for (const [name, values] of Object.entries(inputs)) made.inputs[name].set(values);
    for (const each of made.train) each.run();
    made.clear();
    for (const each of made.backward) each.run();
    return { values: outputs.map((i) => made.values[i]), gradients: grad.map((i) => made.gradients[i]) };
  } catch (error) {
    return { error: error.name + ": " + error.message };
  }
});
"""


def scripts(programs: list[PrintedProgram]) -> str:
    """The programs as an array of functions `createProgram`."""
    sources = (each.source for each in programs)
    parts = [f"(() => {{\n{body}\nreturn createProgram;\n}})()" for body in sources]
    return f"const programs = [{', '.join(parts)}];"
