"""Submissions that go wrong, by accident or on purpose, with their points and reasons."""

from __future__ import annotations

RIGHT = """
import graphnet as gn

class MyMul(gn.exercises.Mul):
    def grad_x(self, grad, y):
        return grad * y

    def grad_y(self, grad, x):
        return grad * x
"""
SECONDS = 1  # for what hangs: thirty times what each of its files and points needs


def before(line):
    """A right answer after a line."""
    return f"{line}\n{RIGHT}"


def after(line):
    """A right answer before a line."""
    return f"{RIGHT}\n{line}\n"


def inside(line):
    """An answer whose first rule does something else as well."""
    return RIGHT.replace("        return grad * y", f"        {line}\n        return grad * y")


# What is handed in, the points out of 3, a part of the reasons; None where they depend on the user:
# whoever is not root may start no threads either.
HOSTILE = {
    "right.py": (RIGHT, 3, ""),
    "wrong.py": (RIGHT.replace("grad * y", "-grad * y"), 1, "grad_x: "),
    # ends
    "exits.py": (before("import sys; sys.exit(3)"), 0, "exits.py ends the program by SystemExit"),
    "exits_late.py": (after("import sys; sys.exit()"), 3, "what stands before is graded"),
    "exits_in_a_rule.py": (inside("raise SystemExit"), 1, "grad_x: it ends the program"),
    "dies.py": (before("import os; os._exit(7)"), 0, "before there was a grade: exit status 7"),
    "interrupts.py": (before("raise KeyboardInterrupt"), 0, "it raises KeyboardInterrupt"),
    "raises.py": (before("1 / 0"), 0, "raises.py, line 1: it raises ZeroDivisionError"),
    "raises_late.py": (after("1 / 0"), 3, "ZeroDivisionError: division by zero; what stands"),
    "asks.py": (before("input('Your name?')"), 0, "it raises EOFError"),
    "dies_in_a_rule.py": (
        inside("import os; os._exit(7)"), 1, "grad_x: its process ended before there was a grade",
    ),
    "waits_on.py": (
        after("import threading, time; threading.Thread(target=time.sleep, args=[99]).start()"),
        3, None,
    ),
    # takes too much
    "prints.py": (after("for _ in range(9_000): print('x' * 10_000)"), 3, ""),
    "prints_at_once.py": (after("print('x' * 10**8)"), 3, ""),
    "writes.py": (
        after("f = open('f', 'wb')\nwhile True: f.write(bytes(10**6))"), 3, "File too large",
    ),
    "many_files.py": (
        after("for n in range(10**6): open(f'f{n}', 'w').write('x')"), 3, "more than 50 files",
    ),
    "fills_memory.py": (after("a = []\nwhile True: a.append(bytes(10**7))"), 3, "more memory than"),
    "recurses.py": (inside("return self.grad_x(grad, y)"), 1, "RecursionError"),
    # reaches out
    "forks.py": (before("import os; os.fork()"), 0, "starting or ending processes is not allowed"),
    "starts.py": (inside("import subprocess; subprocess.run('ls')"), 1, "starting or ending"),
    "kills.py": (before("import os; os.kill(os.getppid(), 9)"), 0, "starting or ending processes"),
    "calls.py": (
        before("import urllib.request as r; r.urlopen('http://127.0.0.1:9')"), 0, "the network is",
    ),
    "overwrites.py": (before("open(__file__, 'w')"), 0, "writing outside its own folder"),
    "removes.py": (before("import os; os.remove(__file__)"), 0, "changing files outside"),
    "loads.py": (before("import ctypes; ctypes.CDLL(None)"), 0, "loading machine code"),
    "scribbles.py": (
        before("import os\nfor n in range(3, 99):\n  try: os.write(n, b'x')\n  except OSError: n"),
        0, "it writes into the channel of its grade",
    ),
    # is no answer
    "nothing.py": ("", 0, "there is no class derived from Mul: it defines nothing"),
    "misnamed.py": ("x = 1\ndef f(): ...\nclass MyMul: ...", 0, "it defines f, MyMul"),
    "another.py": (RIGHT.replace("Mul", "Add"), 0, "derived from Mul: it defines MyAdd"),
    "colon.py": (RIGHT.replace("Mul):", "Mul)"), 0, "colon.py, line 4: SyntaxError: expected ':'"),
    "tabs.py": (RIGHT.replace("    def grad_y", "\tdef grad_y"), 0, "tabs.py, line 8: "),
    "bytes.py": (b"\xff\xfe\x00", 0, "bytes.py is not a text in UTF-8"),
    "null.py": ("x = 1\0", 0, "it has null characters"),
    "broken.ipynb": ("{}", 0, "broken.ipynb is not a notebook"),
    "notes.txt": (RIGHT, 0, "no file ends in .py or .ipynb: there is notes.txt"),
    "imports.py": (before("import no_such_module"), 0, "No module named 'no_such_module'"),
    # is an answer all the same
    "own_files.py": (
        after("import tempfile; tempfile.TemporaryFile().write(b'x'); open('mine', 'w')"), 3, "",
    ),
    "draws.py": (
        after("g = gn.Graph(); g.input((2, 3), name='x').tanh(); g.draw().save('a.svg')"), 3, "",
    ),
    "own_op.py": (
        RIGHT.replace("gn.exercises.Mul", "gn.Op").replace(
            "    def grad_x",
            "    symbol = 'x'\n\n    def forward(self, x, y):\n        return x * y\n"
            "\n    def grad_x",
        ),
        3, "",
    ),
    "several.py": (
        RIGHT + RIGHT.replace("MyMul", "Better").replace("grad * y", "grad"), 3,
        "MyMul is graded, not Better.",
    ),
    "tensors_only.py": (RIGHT.replace("grad * y", "grad * y.clone()"), 2, "form: "),
    "accents-é.py": (RIGHT, 3, ""),
    "=formula.py": (RIGHT, 3, ""),
    "<b>bold.py": (RIGHT, 3, ""),
}  # fmt: skip

# The same of what has to be stopped.
HANGING = {
    "loops.py": (inside("while True: pass"), 1, f"grad_x: it was stopped after {SECONDS} seconds"),
    "loops_last.py": (
        RIGHT.replace("return grad * x", "while True: pass"), 1,
        f"grad_y: it was stopped after {SECONDS} seconds",
    ),
    "loops_late.py": (
        after("while True: pass"), 3,
        f"loops_late.py: it was stopped after {SECONDS} seconds; what stands before is graded",
    ),
    "loops_for_good.py": (
        inside("while True:\n            try: x = 1\n            except BaseException: x = 2"), 1,
        "grad_x: it was stopped after",
    ),
    "sleeps.py": (before("import time; time.sleep(1000)"), 0, "it was stopped after"),
    "fork_bomb.py": (
        before("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"),
        0, "it was stopped after",
    ),
}  # fmt: skip
