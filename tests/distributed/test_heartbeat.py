"""Who does not wait for the others, by the messages that each leaves."""

from __future__ import annotations

import json

from graphnet.distributed import heartbeat
from graphnet.distributed.heartbeat import Heartbeat


class Kept(dict):
    """A store in this process; some messages are renewed each time they are read."""

    renewed = ()

    def set(self, key, value):
        self[key] = value

    def check(self, keys):
        return all(key in self for key in keys)

    def get(self, key):
        count, *others = json.loads(self[key])
        self[key] = json.dumps([count + (key in self.renewed), *others])
        return self[key]


def test_who_has_ended_who_is_busy_and_who_waits(monkeypatch):
    monkeypatch.setattr(heartbeat, "STALE", 0.05)
    kept = Kept({
        "beat/1": '[7, "step 3", true]', "beat/2": '[5, "step 2", false]',
        "beat/3": '[5, "step 3", true]',
    })  # fmt: skip
    kept.renewed = ("beat/2", "beat/3")
    beat = Heartbeat(kept, 0, lambda: ("step 3", True))
    found = beat.others(5)
    beat.stop()
    assert found == {
        1: "has ended, or hangs (last heard of at step 3)",
        2: "is still at step 2",
        4: "has ended, or hangs (last heard of at the start)",
    }
    assert json.loads(kept["beat/0"])[1:] == ["step 3", True]
