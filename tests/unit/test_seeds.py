"""Streams are named, repeatable, and leave the global generator alone."""

from __future__ import annotations

import numpy as np

from riskmodel.seeds import derived, stream


def test_streams_do_not_depend_on_each_other() -> None:
    alone = stream(7, "b").random(3)
    stream(7, "a").random(100)
    assert (stream(7, "b").random(3) == alone).all()
    assert (stream(8, "b").random(3) != alone).all()


def test_names_are_a_path_not_a_text() -> None:
    assert derived(1, "a", 2) == derived(1, "a", "2")
    assert derived(1, "a") != derived(1, "b")
    assert 0 <= derived(1, "a") < 2**31


def test_the_global_generator_does_not_move() -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002  # the global state is what is tested
    stream(7, "x").random(10)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002  # as above
