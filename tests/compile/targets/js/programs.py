"""Printed programs, many in one run of JavaScript."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import js
from torch import Tensor

import graphnet as gn
import graphnet.compile.targets.js as target
from graphnet.compile.targets.js.program import PrintedProgram, printed

RANDOM = (Path(target.__file__).parent / "random.js").read_text(encoding="utf-8")

WALK = """
function walked({ program, batch, state, feed, walk, seed }) {
  try {
    const made = programs[program](batch, state);
    for (const [name, values] of Object.entries(feed)) made.inputs[name].set(values);
    if (seed !== null) new Random(seed).draw(made.masks);
    for (const { run } of made[walk]) run();
    made.clear();
    if (walk === "train") for (const { run } of made.backward) run();
    return { values: made.values, gradients: made.gradients, state };
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}
"""


def scripts(programs: Sequence[PrintedProgram]) -> str:
    """The programs as an array of functions `createProgram`, each with its own prelude."""
    parts = [f"(() => {{\n{each.source}\nreturn createProgram;\n}})()" for each in programs]
    return f"{RANDOM}\nconst programs = [{', '.join(parts)}];\n{WALK}"


@dataclass
class Walks:
    """Walks of printed programs, which one run of JavaScript makes.

    Attributes:
        programs: what is walked.
        walks: what is given to each walk.
    """

    programs: list[PrintedProgram] = field(default_factory=list)
    walks: list[dict[str, Any]] = field(default_factory=list)

    def add(self, graph: gn.Graph, loss: gn.Node | None, *outputs: gn.Node, **shapes: Any) -> int:
        """Print a list; the sizes of its inputs are given where they are open."""
        known = {node.name: tuple(node.shape) for node in graph.inputs}
        self.programs.append(printed(graph, loss, None, {**known, **shapes}, outputs))
        return len(self.programs) - 1

    def walk(
        self,
        program: int,
        feed: Mapping[str, Tensor],
        state: Mapping[str, Tensor] | None = None,
        *,
        batch: int | None = None,
        walk: str = "train",
        seed: int | None = None,
    ) -> None:
        """Walk a program, forward and, in training, in reverse."""
        size = self.programs[program].batch if batch is None else batch
        given = {"program": program, "batch": size, "state": dict(state or {})}
        self.walks.append({**given, "feed": dict(feed), "walk": walk, "seed": seed})

    def run(self) -> list[dict[str, Any]]:
        """What each walk left: values and gradients by place in the list, and the state."""
        script = f"{scripts(self.programs)}\nreturn given.walks.map(walked);"
        found: list[dict[str, Any]] = js.run(script, walks=self.walks)
        return found
