"""The commands of the docs run as they stand, by torchrun on this machine."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

import pytest
from process_checks.launcher import free_port
from process_checks.programs import python, start, text_of

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "many-machines.md").read_text(encoding="utf-8")
TRAIN = re.search(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]
COMMANDS = re.findall(r"\| `(.* train\.py)` \|$", PAGE, re.MULTILINE)
HISTORY = re.compile(r"^ *3 +48 .*$", re.MULTILINE)  # the third epoch: after 48 steps


def started(command, folder, name="output"):
    """A command of the docs; `python` and `torchrun` are those of this environment."""
    program, *arguments = shlex.split(command)
    module = ["-m", "torch.distributed.run"] if program == "torchrun" else []
    path = {"PYTHONPATH": str(ROOT)}
    return start(python(*module, *arguments), folder / name, path, cwd=folder)


def run(command, folder):
    """What a command writes; it must succeed."""
    process = started(command, folder)
    text = text_of(process, folder / "output", 200)
    assert process.returncode == 0, text
    return text


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.py").write_text(TRAIN, encoding="utf-8")
    return tmp_path


@pytest.mark.slow  # torchrun itself: what it starts is in `test_processes.py`
def test_the_program_of_the_docs_by_two_processes(folder):
    command = next(each for each in COMMANDS if each.endswith("--nproc-per-node 4 train.py"))
    assert "--standalone" in command
    text = run(command.replace("per-node 4", "per-node 2"), folder)
    assert len(HISTORY.findall(text)) == 1, text  # only rank 0 prints it
    assert {path.name for path in (folder / "run-together").iterdir()} == {
        *("checkpoints", "epochs.csv", "steps.jsonl")
    }


@pytest.mark.slow
@pytest.mark.parametrize("command", [each for each in COMMANDS if "nnodes" not in each])
def test_the_commands_of_one_machine(command, folder):
    assert HISTORY.search(run(command, folder))
    assert HISTORY.search(run("python train.py", folder))  # it is finished: nothing to do


@pytest.mark.slow
def test_the_command_of_two_machines(folder):
    """Both are this one: the address is that of the loopback."""
    command = next(each for each in COMMANDS if "--nnodes 2" in each)
    command = command.replace("first-machine:29400", f"localhost:{free_port()}")
    nodes = [started(command, folder, f"output-{number}") for number in range(2)]
    texts = [text_of(node, folder / f"output-{n}", 200) for n, node in enumerate(nodes)]
    assert [node.returncode for node in nodes] == [0, 0], texts
    assert len(HISTORY.findall("".join(texts))) == 1


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed")
def test_the_program_on_ray(folder):
    script = re.search(r"^```py\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]
    (folder / "on_ray.py").write_text(script, encoding="utf-8")
    assert HISTORY.search(run("python on_ray.py 2", folder))


SLURM = re.search(r"^```text\n(#!/bin/bash\n.*?)^```", PAGE, re.DOTALL | re.MULTILINE)[1]
JOB = {"SLURM_NNODES": "2", "SLURM_JOB_NODELIST": "node-[a,b]", "SLURM_JOB_ID": "17"}
SHOWN = '#!/bin/sh\n[ "$*" = "show hostnames node-[a,b]" ] && echo {first} && echo node-b\n'


def job(folder, script, programs):
    """Start a script of Slurm with other programs in the place of its own."""
    (folder / "job.sh").write_text(script, encoding="utf-8")
    for name, text in programs.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    path = {"PATH": os.pathsep.join([str(folder), os.environ["PATH"]]), "PYTHONPATH": str(ROOT)}
    return start(["bash", "job.sh"], folder / "output", {**path, **JOB}, cwd=folder)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_script_of_slurm_starts_one_torchrun_on_each_node(folder):
    subprocess.run(["bash", "-n"], input=SLURM, encoding="utf-8", check=True, timeout=60)
    told = {"scontrol": SHOWN.format(first="node-a"), "srun": '#!/bin/sh\necho "$@"\n'}
    text = text_of(job(folder, SLURM, told), folder / "output", 60)
    assert text.split() == [
        *("torchrun", "--nnodes", "2", "--nproc-per-node", "4", "--max-restarts", "10"),
        *("--rdzv-backend", "c10d", "--rdzv-id", "17", "--rdzv-endpoint", "node-a:29400"),
        "train.py",
    ]
    assert "--nodes=2 --ntasks-per-node=1" in SLURM  # so srun starts it twice


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_script_of_slurm_trains(folder):
    """Both nodes are this machine, with one process each."""
    script = SLURM.replace(":29400", f":{free_port()}").replace("per-node 4", "per-node 1")
    programs = {
        "scontrol": SHOWN.format(first="localhost"),
        "srun": '#!/bin/sh\n"$@" &\nfirst=$!\n"$@" && wait $first\n',
        "torchrun": f'#!/bin/sh\nexec {sys.executable} -m torch.distributed.run "$@"\n',
    }
    process = job(folder, script, programs)
    text = text_of(process, folder / "output", 200)
    assert process.returncode == 0, text
    assert len(HISTORY.findall(text)) == 1, text


def workers_of(parent):
    """The processes of a torchrun, by the list of the system."""
    path = Path(f"/proc/{parent}/task/{parent}/children")
    return [int(each) for each in path.read_text(encoding="utf-8").split()]


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="it looks into /proc")
def test_twenty_restarts(folder):
    """kill -9 of a worker, 20 times: torchrun starts all again, from the last checkpoint."""
    program = TRAIN.replace("epochs=3", "epochs=80").replace(
        'directory="run-together",', 'callbacks=[gn.Checkpoints("run", every=5)],'
    )
    (folder / "train.py").write_text(program, encoding="utf-8")
    command = "torchrun --standalone --nproc-per-node 2 --max-restarts 20 train.py"
    process = started(command, folder)
    try:
        turn, newest = 0, ""
        while turn < 20:
            newest = next_checkpoint(process, folder, newest)
            with suppress(ProcessLookupError, IndexError):  # it is just being started again
                os.kill(workers_of(process.pid)[turn % 2], signal.SIGKILL)
                turn += 1
    finally:
        text = text_of(process, folder / "output", 200 if turn == 20 else 0)
    assert process.returncode == 0, text[-3000:]
    assert re.search(r"^ *80 +1280 ", text, re.MULTILINE), text[-3000:]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_torchrun_ends_the_training_behind_a_step(number, folder):
    """Of processes whose loaders have workers: it gets to all of them."""
    data = "torch.utils.data.TensorDataset(points, labels)"
    program = TRAIN.replace("(points, labels)", data).replace(
        "across=True", "workers=1, across=True"
    )
    keeping = 'callbacks=[gn.Checkpoints("run-together", every=30)],'
    program = program.replace("epochs=3", "epochs=60").replace('directory="run-together",', keeping)
    (folder / "train.py").write_text(program, encoding="utf-8")
    command = "torchrun --standalone --nproc-per-node 2 train.py"
    process = started(command, folder)
    next_checkpoint(process, folder, "")
    os.killpg(process.pid, number)
    text = text_of(process, folder / "output", 100)
    assert process.returncode != 0, text
    assert "DataLoader worker" not in text and "ProcessError" not in text, text
    assert int(newest_of(folder).removeprefix("checkpoint-")) % 30, "not that of the signal"
    again = run(command, folder)
    assert re.search(r"^ *60 +960 ", again, re.MULTILINE), again


def next_checkpoint(process, folder, newest):
    """Wait until a training has gone on; returns the name of its newest checkpoint."""
    deadline = time.monotonic() + 120
    while (now := newest_of(folder)) <= newest:
        assert process.poll() is None and time.monotonic() < deadline, newest
        time.sleep(0.05)
    return now


def newest_of(folder):
    """The name of the last checkpoint."""
    if not (folder / "run-together").exists():
        return ""
    names = (path.name for path in (folder / "run-together").iterdir())
    return max((name for name in names if re.fullmatch(r"checkpoint-\d+", name)), default="")
