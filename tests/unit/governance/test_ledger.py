"""The ledger as an honest file, under many writers, under kill -9, and under attack."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from riskmodel.errors import DeclarationError, EvidenceError, NotFound
from riskmodel.governance.ledger import START, Head, Ledger, read_anchor, verify


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """A ledger of ten entries."""
    made = Ledger(tmp_path / "store" / "ledger.jsonl")
    for number in range(10):
        made.append("read", result="histories", rows=number)
    return made


def lines_of(ledger: Ledger) -> list[bytes]:
    return ledger.path.read_bytes().splitlines(keepends=True)


def codes(ledger: Ledger) -> list[str]:
    return [fault.code for fault in verify(ledger.path).faults]


def test_each_entry_holds_the_hash_of_the_one_before(ledger: Ledger) -> None:
    held = [json.loads(line) for line in lines_of(ledger)]
    assert [entry["number"] for entry in held] == list(range(1, 11))
    assert [entry["previous"] for entry in held] == [START, *(entry["hash"] for entry in held[:-1])]
    body = {name: value for name, value in held[3].items() if name != "hash"}
    by_hand = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    assert held[3]["hash"] == by_hand


def test_an_untouched_ledger_holds(ledger: Ledger) -> None:
    found = verify(ledger.path)
    assert found.holds
    assert (found.entries, found.torn) == (10, 0)
    assert found.head == ledger.head() == read_anchor(ledger.path)
    found.must_hold()
    assert str(found).startswith("The ledger holds: 10 entries")


def test_append_returns_the_hash_of_its_entry(ledger: Ledger) -> None:
    assert ledger.append("write", result="model", truth=True, share=0.25, none=None) == ledger.head().hash
    assert list(ledger.entries())[-1].facts == {"result": "model", "truth": True, "share": 0.25, "none": None}


def test_numpy_numbers_become_plain_ones_and_unknown_becomes_null(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.append("fit", rows=np.int64(7), share=np.float32(0.5), auc=float("nan"))
    assert next(ledger.entries()).facts == {"rows": 7, "share": 0.5, "auc": None}


@pytest.mark.parametrize(
    "value",
    [
        ["P", "Q"],
        {"name": "x"},
        ("a",),
        np.array([1, 2]),
        "one\ntwo",
        "a\tb",
        '[{"entity_id": 1}]',
        '{"given_name": "x"}',
        "x" * 501,
        ",".join("abcdefghijklmnopqrstuvwxyzabcdefgh"),
        "P-00000000000000ff",
        b"bytes",
    ],
)
def test_what_looks_like_rows_or_people_is_refused_and_not_repeated(ledger: Ledger, value: object) -> None:
    with pytest.raises(DeclarationError) as refused:
        ledger.append("read", held=value)  # type: ignore[arg-type]  # the guard is for callers that are not type-checked
    assert refused.value.code == "ledger-fact-refused"
    assert "00ff" not in str(refused.value)
    assert "entity_id" not in str(refused.value)
    assert verify(ledger.path).entries == 10


def test_every_refused_fact_is_named_at_once(ledger: Ledger) -> None:
    with pytest.raises(DeclarationError, match="2 faults") as refused:
        ledger.append("read", one=[1], two="a\nb", fine=3)  # type: ignore[arg-type]  # see above
    assert [fault.where for fault in refused.value.faults] == ["ledger fact one", "ledger fact two"]


# --- attacks -------------------------------------------------------------------------------------------------------


def test_attack_an_edited_line_is_found(ledger: Ledger) -> None:
    held = lines_of(ledger)
    held[4] = held[4].replace(b'"rows":4', b'"rows":5')
    ledger.path.write_bytes(b"".join(held))
    found = verify(ledger.path)
    assert [(fault.line, fault.code) for fault in found.faults] == [(5, "line-altered")]
    with pytest.raises(EvidenceError, match="ledger-altered"):
        found.must_hold()


def test_attack_an_edited_line_with_its_hash_made_right_breaks_the_chain(ledger: Ledger) -> None:
    held = lines_of(ledger)
    entry = json.loads(held[4])
    entry["facts"]["rows"] = 5
    body = {name: value for name, value in entry.items() if name != "hash"}
    entry["hash"] = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    held[4] = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    ledger.path.write_bytes(b"".join(held))
    assert [(fault.line, fault.code) for fault in verify(ledger.path).faults] == [(6, "chain-broken")]


def test_attack_the_last_line_rewritten_with_a_right_hash_disagrees_with_the_anchor(ledger: Ledger) -> None:
    held = lines_of(ledger)
    entry = json.loads(held[-1])
    entry["facts"]["rows"] = 0
    body = {name: value for name, value in entry.items() if name != "hash"}
    entry["hash"] = hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    held[-1] = json.dumps(entry, sort_keys=True, separators=(",", ":")).encode() + b"\n"
    ledger.path.write_bytes(b"".join(held))
    assert codes(ledger) == ["ledger-end-altered"]
    with pytest.raises(EvidenceError, match="ledger-end-altered"):
        ledger.append("read")


def test_attack_a_removed_line_is_found(ledger: Ledger) -> None:
    held = lines_of(ledger)
    ledger.path.write_bytes(b"".join(held[:3] + held[4:]))
    assert codes(ledger) == ["chain-broken"]


def test_attack_two_lines_in_the_other_order_are_found(ledger: Ledger) -> None:
    held = lines_of(ledger)
    held[2], held[3] = held[3], held[2]
    ledger.path.write_bytes(b"".join(held))
    assert codes(ledger)[0] == "chain-broken"


def test_attack_a_line_put_in_twice_is_found(ledger: Ledger) -> None:
    held = lines_of(ledger)
    ledger.path.write_bytes(b"".join([*held[:3], held[2], *held[3:]]))
    assert codes(ledger)[0] == "chain-broken"


@pytest.mark.parametrize("kept", [9, 1, 0])
def test_attack_a_cut_at_the_end_is_found_and_takes_no_more_entries(ledger: Ledger, kept: int) -> None:
    ledger.path.write_bytes(b"".join(lines_of(ledger)[:kept]))
    assert codes(ledger) == ["ledger-truncated"]
    with pytest.raises(EvidenceError, match="ledger-truncated"):
        ledger.append("read")
    with pytest.raises(EvidenceError, match="ledger-truncated"):
        ledger.head()


def test_attack_a_removed_ledger_is_found(ledger: Ledger) -> None:
    ledger.path.unlink()
    assert codes(ledger) == ["ledger-truncated"]
    with pytest.raises(EvidenceError, match="ledger-truncated"):
        ledger.append("read")


def test_attack_a_removed_or_scribbled_anchor_is_found(ledger: Ledger) -> None:
    anchor = ledger.path.with_name("ledger.jsonl.head")
    anchor.write_text("nonsense")
    assert codes(ledger) == ["ledger-anchor-damaged"]
    anchor.unlink()
    assert codes(ledger) == ["ledger-anchor-missing"]
    with pytest.raises(EvidenceError, match="ledger-anchor-missing"):
        ledger.append("read")


def test_attack_a_cut_with_a_forged_anchor_is_found_by_a_head_kept_elsewhere(ledger: Ledger) -> None:
    noted = ledger.head()
    held = lines_of(ledger)[:6]
    ledger.path.write_bytes(b"".join(held))
    forged = Head(6, json.loads(held[-1])["hash"])
    ledger.path.with_name("ledger.jsonl.head").write_text(f"{forged}\n")
    assert verify(ledger.path).holds  # file and anchor agree: the folder alone cannot show it
    assert [fault.code for fault in verify(ledger.path, noted).faults] == ["head-not-found"]
    assert [fault.code for fault in verify(ledger.path, noted.hash).faults] == ["head-not-found"]


def test_a_head_noted_earlier_is_still_found_when_the_ledger_has_grown(ledger: Ledger) -> None:
    noted = ledger.head()
    ledger.append("write", result="card")
    assert verify(ledger.path, noted).holds
    assert verify(ledger.path, noted.hash).holds
    assert not verify(ledger.path, Head(noted.number - 1, noted.hash)).holds


def test_attack_entries_added_by_hand_past_the_anchor_are_found(ledger: Ledger, tmp_path: Path) -> None:
    copy = Ledger(tmp_path / "copy.jsonl")
    copy.path.write_bytes(ledger.path.read_bytes())
    copy.path.with_name("copy.jsonl.head").write_bytes(ledger.path.with_name("ledger.jsonl.head").read_bytes())
    copy.append("read")
    copy.append("read")
    ledger.path.write_bytes(copy.path.read_bytes())
    assert codes(ledger) == ["ledger-end-altered"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_changed_byte_is_found(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("ledger") / "l.jsonl")
    for number in range(4):
        ledger.append("read", rows=number)
    held = bytearray(ledger.path.read_bytes())
    place = data.draw(st.integers(0, len(held) - 2))
    old = held[place]
    held[place] = data.draw(st.integers(0, 255).filter(lambda byte: byte != old))
    ledger.path.write_bytes(bytes(held))
    assert not verify(ledger.path).holds


# --- torn lines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("torn", [b"{", b'{"action":"re', b"\xff\xfe", b"garbage\n", b"one\ntwo"])
def test_a_torn_last_line_is_found_then_closed_off_and_recorded(ledger: Ledger, torn: bytes) -> None:
    with ledger.path.open("ab") as file:
        file.write(torn)
    assert codes(ledger) == ["line-torn"]
    ledger.append("read", result="model")
    found = verify(ledger.path)
    assert found.holds
    assert found.entries == 12
    assert found.torn >= 1
    closing = list(ledger.entries())[10]
    assert closing.action == "torn-line-closed"
    assert closing.facts == {"bytes": len(torn), "sha256": hashlib.sha256(torn).hexdigest()}
    assert torn in ledger.path.read_bytes()


def test_attack_a_torn_line_changed_after_it_was_closed_off_is_found(ledger: Ledger) -> None:
    with ledger.path.open("ab") as file:
        file.write(b"half a li")
    ledger.append("read")
    ledger.path.write_bytes(ledger.path.read_bytes().replace(b"half a li", b"half a la"))
    assert codes(ledger) == ["line-altered"]


def test_a_whole_entry_that_only_lacks_its_line_end_is_kept(ledger: Ledger) -> None:
    ledger.path.write_bytes(ledger.path.read_bytes()[:-1])
    assert verify(ledger.path).holds
    ledger.append("read")
    assert (verify(ledger.path).entries, verify(ledger.path).torn, codes(ledger)) == (11, 0, [])


def test_a_writer_killed_between_line_and_anchor_leaves_a_ledger_that_holds(ledger: Ledger) -> None:
    anchor = ledger.path.with_name("ledger.jsonl.head")
    before = anchor.read_bytes()
    ledger.append("read")
    anchor.write_bytes(before)
    assert verify(ledger.path).holds
    ledger.append("read")
    assert verify(ledger.path).entries == 12


def test_a_first_line_torn_at_the_very_start(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "l.jsonl")
    ledger.path.write_bytes(b'{"act')
    ledger.append("read")
    assert (verify(ledger.path).entries, verify(ledger.path).torn) == (2, 1)


def test_the_end_is_found_behind_a_long_torn_tail(ledger: Ledger) -> None:
    with ledger.path.open("ab") as file:
        file.write(b"x" * 100_000)
    ledger.append("read")
    assert verify(ledger.path).holds


def test_an_append_reads_only_the_end_of_the_file(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(200):
        ledger.append("read", result="histories", fingerprint="f" * 64)
    read = 0
    plain = Path.open

    def counting(self: Path, *args: object, **kwargs: object) -> object:
        file = plain(self, *args, **kwargs)  # type: ignore[arg-type,call-overload]  # passed on as they came
        if self == ledger.path:
            inner = file.read

            class Counted:
                def __getattr__(self, name: str) -> object:
                    return getattr(file, name)

                def __enter__(self) -> object:
                    return self

                def __exit__(self, *_: object) -> None:
                    file.close()

                def read(self, size: int = -1) -> bytes:
                    nonlocal read
                    data: bytes = inner(size)
                    read += len(data)
                    return data

            return Counted()
        return file

    monkeypatch.setattr(Path, "open", counting)
    ledger.append("read")
    assert 0 < read <= 1 << 14 < ledger.path.stat().st_size


def test_no_ledger_at_all_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="ledger-missing"):
        verify(tmp_path / "nothing.jsonl")
    assert Ledger(tmp_path / "nothing.jsonl").head() == Head()
    assert list(Ledger(tmp_path / "nothing.jsonl").entries()) == []


# --- many writers, and writers that are killed ---------------------------------------------------------------------

WRITER = """
import sys
from pathlib import Path
from riskmodel.governance.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
for number in range(int(sys.argv[3])):
    ledger.append("read", writer=int(sys.argv[2]), entry=number)
    print(number, flush=True)
"""


def writer(path: Path, name: int, entries: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", WRITER, str(path), str(name), str(entries)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_sixteen_processes_write_one_chain(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    writers = [writer(path, name, 12) for name in range(16)]
    assert [made.wait() for made in writers] == [0] * 16
    for made in writers:
        assert made.stdout is not None
        made.stdout.close()
    found = verify(path)
    assert found.holds
    assert found.entries == 16 * 12
    for name in range(16):  # nobody's entry lost, each writer's own in its own order
        own = [entry.facts["entry"] for entry in Ledger(path).entries() if entry.facts["writer"] == name]
        assert own == list(range(12))


def test_threads_of_one_process_write_one_chain(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.jsonl")
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: ledger.append("read", entry=number), range(80)))
    assert len(set(made)) == 80
    assert (verify(ledger.path).entries, codes(ledger)) == (80, [])


def test_killed_writers_lose_nothing_they_were_told_was_written(tmp_path: Path) -> None:
    path = tmp_path / "ledger.jsonl"
    for name in range(4):
        made = writer(path, name, 100_000)
        assert made.stdout is not None
        told = [int(made.stdout.readline()) for _ in range(3 + 5 * name)]
        os.kill(made.pid, signal.SIGKILL)
        told += [int(line) for line in re.findall(rb"(\d+)\n", made.stdout.read())]
        made.wait()
        made.stdout.close()
        Ledger(path).append("read", writer=-1, entry=name)
        found = verify(path)
        assert found.holds, str(found)
        own = [entry.facts["entry"] for entry in Ledger(path).entries() if entry.facts.get("writer") == name]
        assert own[: len(told)] == told
        assert len(own) <= len(told) + 1
