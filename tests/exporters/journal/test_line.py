"""The line form."""

from __future__ import annotations

import hashlib

import orjson
from hypothesis import given
from hypothesis import strategies as st

from mcptap.exporters.journal.line import fault, hash_of, is_sealed, run_root, seal, torn_fault

ROOT = run_root("run")


def line(n: int = 1, prev: str = ROOT, fields: bytes = b'{"a":1}') -> bytes:
    return b"".join(seal(n, prev, "message", fields)[0])


def test_a_line_is_an_object_with_number_link_type_fields_and_hash():
    whole = line()
    unsealed = b'{"n":1,"prev":"%b","type":"message","a":1' % ROOT.encode()
    digest = hashlib.sha256(unsealed).hexdigest()
    assert whole == unsealed + b',"hash":"%b"}\n' % digest.encode()
    assert orjson.loads(whole)["hash"] == hash_of(whole) == digest


def test_the_first_line_of_a_run_follows_the_hash_of_its_id():
    assert hashlib.sha256(b"run").hexdigest() == ROOT


def test_a_good_line_has_no_fault():
    assert fault(line(), 1, ROOT) is None


def test_each_fault_is_told():
    assert "number" in fault(line(2), 1, ROOT)
    assert "follow" in fault(line(1, "0" * 64), 1, ROOT)
    assert "hash" in fault(line().replace(b'"a":1', b'"a":2'), 1, ROOT)
    assert "hash" in fault(b"\n", 1, ROOT)


@given(st.data())
def test_a_changed_byte_is_a_fault(data):
    whole = bytearray(line())
    at = data.draw(st.integers(0, len(whole) - 1))
    whole[at] ^= data.draw(st.integers(1, 255))
    assert fault(bytes(whole), 1, ROOT)
    assert not is_sealed(bytes(whole))


@given(st.integers(0, len(line()) - 1))
def test_a_line_cut_anywhere_is_torn_and_no_fault(size):
    assert torn_fault(line()[:size], 1, ROOT) is None


def test_a_tail_that_no_torn_write_leaves_is_a_fault():
    assert torn_fault(line()[:-1] + b"x", 1, ROOT)
    assert torn_fault(line(2)[:50], 1, ROOT)
    assert torn_fault(b"\0\0\0", 1, ROOT)
