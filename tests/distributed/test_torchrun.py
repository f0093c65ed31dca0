"""The commands of the docs run as they stand, by torchrun on this machine."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from process_checks.launcher import free_port

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "many-machines.md").read_text(encoding="utf-8")
TRAIN = re.search(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]
COMMANDS = re.findall(r"\| `(.* train\.py)` \|$", PAGE, re.MULTILINE)
HISTORY = re.compile(r"^ *3 +48 .*$", re.MULTILINE)  # the third epoch: after 48 steps


def started(command, folder, output=subprocess.PIPE):
    """A command of the docs; `python` and `torchrun` are those of this environment."""
    program, *arguments = shlex.split(command)
    module = ["-m", "torch.distributed.run"] if program == "torchrun" else []
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, *module, *arguments],
        cwd=folder,
        stdout=output,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={k: v for k, v in environment.items() if k not in ("RANK", "WORLD_SIZE")},
    )


def run(command, folder):
    """What a command writes; it must succeed."""
    process = started(command, folder)
    text, _ = process.communicate(timeout=300)
    assert process.returncode == 0, text
    return text


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN, encoding="utf-8")
    return tmp_path


def test_the_program_of_the_docs_by_two_processes(folder):
    command = next(each for each in COMMANDS if each.endswith("--nproc-per-node 4 train.py"))
    assert "--standalone" in command
    text = run(command.replace("per-node 4", "per-node 2"), folder)
    assert len(HISTORY.findall(text)) == 1, text  # only rank 0 prints it
    assert {path.name for path in (folder / "run").iterdir()} == {
        *("checkpoints", "epochs.csv", "steps.jsonl")
    }
    assert HISTORY.search(run("python train.py", folder))  # it is finished: nothing to do


@pytest.mark.slow
@pytest.mark.parametrize("command", [each for each in COMMANDS if "nnodes" not in each])
def test_the_commands_of_one_machine(command, folder):
    assert HISTORY.search(run(command, folder))


@pytest.mark.slow
def test_the_command_of_two_machines(folder):
    """Both are this one: the address is that of the loopback."""
    command = next(each for each in COMMANDS if "--nnodes 2" in each)
    command = command.replace("first-machine:29400", f"localhost:{free_port()}")
    nodes = [started(command, folder) for _ in range(2)]
    texts = [node.communicate(timeout=300)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], texts
    assert len(HISTORY.findall("".join(texts))) == 1


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_the_program_on_ray(folder):
    script = re.search(r"^```py\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]
    (folder / "on_ray.py").write_text(script, encoding="utf-8")
    assert HISTORY.search(run("python on_ray.py 2", folder))


def workers_of(parent):
    """The processes of a torchrun, by the list of the system."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(each) for each in path.read_text(encoding="utf-8").split()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="it looks into /proc")
def test_twenty_restarts(folder):
    """kill -9 of a worker, 20 times: torchrun starts all again, from the last checkpoint."""
    program = TRAIN.replace("epochs=3", "epochs=80").replace(
        'directory="run",', 'callbacks=[gn.Checkpoints("run", every=5)],'
    )
    (folder / "train.py").write_text(program, encoding="utf-8")
    command = "torchrun --standalone --nproc-per-node 2 --max-restarts 20 train.py"
    log = folder / "log"  # a pipe that nobody reads would stop it in the end
    with log.open("w", encoding="utf-8") as file:
        process = started(command, folder, file)
        try:
            turn, newest = 0, ""
            while turn < 20:
                newest = next_checkpoint(process, folder, newest)
                with suppress(ProcessLookupError, IndexError):  # it is just being started again
                    os.kill(workers_of(process.pid)[turn % 2], signal.SIGKILL)
                    turn += 1
            code = process.wait(timeout=300)
        finally:
            process.terminate()
    text = log.read_text(encoding="utf-8")
    assert code == 0, text[-3000:]
    assert re.search(r"^ *80 +1280 ", text, re.MULTILINE), text[-3000:]


def next_checkpoint(process, folder, newest):
    """Wait until a training has gone on; returns the name of its newest checkpoint."""
    deadline = time.monotonic() + 120
    while (now := newest_of(folder)) <= newest:
        assert process.poll() is None and time.monotonic() < deadline, newest
        time.sleep(0.05)
    return now


def newest_of(folder):
    """The name of the last checkpoint."""
    if not (folder / "run").exists():
        return ""
    names = (path.name for path in (folder / "run").iterdir())
    return max((name for name in names if re.fullmatch(r"checkpoint-\d+", name)), default="")
