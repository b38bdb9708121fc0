"""A scan reads pickles as CPython's two machines do, and the reader takes only what both take."""

import itertools
import os
import sys

import pytest

import pickle_machines
from pickle_machines import FLOATS, NUMBERS, QUOTED, SPACES, TEXTS, Machine, Programs, disagreement

# How many random programs are tried; `make fuzz TARGETS=PickleMachines` tries a million.
RUNS = int(os.environ.get("CKPTCONV_PROGRAMS", 1500))


def agree(pickles):
    with Machine() as machine:
        for data, answer in machine.ask(pickles):
            assert disagreement(data, answer) is None, (data, disagreement(data, answer))


def answers(pickles):
    with Machine() as machine:
        return [answer for _, answer in machine.ask(pickles)]


def numbers():
    return [before + number + after for before, number, after in itertools.product(
        sorted(set(SPACES)), NUMBERS, sorted(set(SPACES)))]


TEXT_OPCODES = {
    "INT": [b"I" + number + b"\n" for number in numbers()],
    "LONG": [b"L" + number + end + b"\n" for number in numbers() for end in (b"", b"L")],
    "FLOAT": [
        b"F" + before + number + after + b"\n"
        for before, number, after in itertools.product(sorted(set(SPACES)), FLOATS, sorted(set(SPACES)))],
    "PUT": [b"K\x07p" + number + b"\n" for number in numbers()],
    "GET": [b"K\x07q\x05K\x08q\x01" + b"g" + number + b"\n" for number in numbers()],
    "STRING": [b"S" + text + b"\n" for text in QUOTED + [text + b"\r" for text in QUOTED]],
    "UNICODE": [b"V" + text + b"\n" for text in TEXTS],
    "PERSID": [b"P" + text + b"\n" for text in TEXTS],
    "GLOBAL": [b"c" + module + b"\n" + name + b"\n" for module in TEXTS for name in TEXTS],
    "INST": [b"(i" + module + b"\n" + name + b"\n" for module in TEXTS for name in TEXTS],
}


@pytest.mark.parametrize("opcode", TEXT_OPCODES)
def test_every_spelling_of_a_text_opcode_is_read_as_python_reads_it(opcode):
    # What follows shows whether the machine is still where CPython is.
    agree([data + b"cm\nseen\n." for data in TEXT_OPCODES[opcode]])


@pytest.mark.parametrize("protocol", (4, 5))
def test_frames_that_are_changed_are_refused_or_mean_the_same_to_all(protocol):
    programs = Programs(160 + protocol)
    pickles = []
    for _ in range(200):
        data = bytearray(programs.honest(protocol))
        programs.change_frame(data)
        pickles.append(bytes(data))
        pickles.append(programs.mutated(bytes(data)))
    agree(pickles)


def test_a_crossed_frame_hides_nothing():
    """The C machine before Python 3.13.15 reads what the frame hides, `Lib/pickle.py` refuses it."""
    hidden = b"\x80\x04N0(\x95\x02" + bytes(7) + b"B\x07\x01\x00\x00\x00\x00cos\nsystem\n)R."
    if sys.version_info < (3, 13):
        assert pickle_machines.in_c_from_file(hidden).names == {("os", "system")}
    assert not pickle_machines.in_python(hidden).names
    answer, = answers([hidden])
    assert answer.crosses and answer.refusal is not None


def test_pickles_of_python_cross_no_frame():
    programs = Programs(4)
    pickles = [programs.honest(protocol) for protocol in range(6) for _ in range(20)]
    for answer in answers(pickles):
        assert answer.is_complete and not answer.crosses, answer.fault


def test_random_programs_name_what_cpython_looks_up():
    programs = Programs(16)
    agree([programs.next() for _ in range(RUNS)])
