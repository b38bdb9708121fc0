"""CPython's two pickle machines with inert stubs, ckptconv's, and programs for all of them.

Nothing is imported or called: every global is a stub that takes whatever is done to it. What a
machine looks up until it ends is what it would have run.
"""

import _compat_pickle
import io
import json
import pickle
import random
import resource
import struct
import subprocess

from program import PROBE

# A memo index of four bytes would have CPython allocate gigabytes.
MEMORY = 4 << 30


class Anything(type):
    """The class of stubs, which takes what a class, a module or a function takes."""

    def __setitem__(cls, key, value):
        pass

    def __iter__(cls):
        return iter(())

    def __getitem__(cls, key):
        return cls


class Stub(metaclass=Anything):
    def __new__(*arguments, **keywords):
        return object.__new__(Stub)

    def __init__(*arguments, **keywords):
        pass

    def __setstate__(*arguments):
        pass

    def keys(*arguments):
        return []

    append = extend = add = __setitem__ = __call__ = __setstate__

    def __iter__(self):
        return iter(())

    def __call__(*arguments, **keywords):
        return object.__new__(Stub)


class Value(Stub):
    """A value that old protocols spell as a call: it is no class, no function and no list."""

    __new__ = __call__ = append = extend = __setitem__ = None


class ValueClass(Stub):
    def __new__(*arguments, **keywords):
        return object.__new__(Value)


# What is called for values that old protocols have no opcode for.
VALUES = {
    ("builtins", "set"), ("builtins", "frozenset"), ("builtins", "bytes"), ("builtins", "bytearray"),
    ("_codecs", "encode")}


class Names:
    """Notes what is looked up."""

    def __init__(self, file):
        # As torch reads the strings of Python 2.
        super().__init__(file, encoding="utf-8")
        self.names = []

    def find_class(self, module, name):
        self.names.append((module, name))
        return ValueClass if modern(module, name) in VALUES else Stub

    def persistent_load(self, identifier):
        return object.__new__(Stub)


class InC(Names, pickle.Unpickler):
    pass


class InPython(Names, pickle._Unpickler):
    def find_class(self, module, name):
        if self.proto < 3:
            module, name = modern(module, name)
        return super().find_class(module, name)


def modern(module, name):
    """A name of Python 2 as Python 3 has it (`find_class`)."""
    if (module, name) in _compat_pickle.NAME_MAPPING:
        return _compat_pickle.NAME_MAPPING[module, name]
    return _compat_pickle.IMPORT_MAPPING.get(module, module), name


class Bare:
    """A file without `peek` and `readinto`, as a file of torch's is: each read is what was asked."""

    def __init__(self, data):
        self.file = io.BytesIO(data)
        self.read, self.readline = self.file.read, self.file.readline


class Result:
    def __init__(self, machine, data):
        unpickler = machine(data)
        self.error = None
        try:
            unpickler.load()
        except (Exception, RecursionError) as error:
            self.error = error
        self.names = set(unpickler.names)

    @property
    def is_complete(self):
        return self.error is None


def in_c_with_peek(data):
    return Result(lambda data: InC(io.BufferedReader(io.BytesIO(data))), data)


def in_c_from_file(data):
    return Result(lambda data: InC(Bare(data)), data)


def in_python(data):
    return Result(lambda data: InPython(io.BytesIO(data)), data)


class Machine:
    """ckptconv's machine: one process that answers for one pickle after the other."""

    def __enter__(self):
        self.process = subprocess.Popen(
            [PROBE, "pickles"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.getrlimit(resource.RLIMIT_AS)[1]))
        return self

    def __exit__(self, *exception):
        self.process.stdin.close()
        self.process.wait()

    def ask(self, pickles):
        """An answer for each pickle."""
        for start in range(0, len(pickles), 64):
            batch = pickles[start:start + 64]
            self.process.stdin.write(b"".join(struct.pack("<I", len(data)) + data for data in batch))
            self.process.stdin.flush()
            for data in batch:
                line = self.process.stdout.readline()
                assert line, f"the machine ended at {data!r}"
                yield data, Answer(json.loads(line))


class Answer:
    def __init__(self, answer):
        self.names = set(zip(answer["names"][::2], answer["names"][1::2]))
        self.is_complete = answer["complete"] and answer["fault"] is None
        self.fault = answer["fault"]
        self.crosses = answer["crosses"]
        self.refusal = answer["refusal"]


def disagreement(data, answer):
    """What is wrong with an answer, or None.

    A scan finds what any of CPython's machines looks up, and reads to the end what any of them reads
    to the end. The reader takes only what all of them take, and sees the same names there.
    """
    if answer.crosses:
        return f"the reader takes a crossed frame" if answer.refusal is None else None
    machines = [in_c_with_peek(data), in_c_from_file(data), in_python(data)]
    # The names that the C machine looks up are Python 2's where the protocol is old.
    ours = {modern(*name) for name in answer.names}
    for machine in machines:
        names = {modern(*name) for name in machine.names}
        if not names <= ours and not is_cut_line(answer):
            return f"not found: {names - ours}; {answer.fault}"
        if machine.is_complete and not answer.is_complete:
            return f"CPython reads it, the scan does not: {answer.fault}"
        if machine.is_complete and names != ours:
            return f"CPython does not look up {ours - names}"
    if machines[2].is_complete and machines[2].names != answer.names:
        return f"{machines[2].names} is called {answer.names}"
    if answer.refusal is None:
        for machine in machines:
            # The reader takes strings of Python 2 that are no text for bytes, and memo indices of any
            # size, for which CPython's C machine has a table.
            if not machine.is_complete and not isinstance(
                    machine.error, (UnicodeDecodeError, MemoryError)):
                return f"the reader takes it, CPython says {machine.error!r}"
    return None


def is_cut_line(answer):
    """Whether the pickle ends in a line: `Lib/pickle.py` takes what there is for a name."""
    return answer.fault is not None and "no line feed" in answer.fault


# MARK: - Programs

SPACES = [b"", b"", b"", b" ", b"\t", b"\r", b"  ", b"\x0b"]
NUMBERS = [
    b"0", b"1", b"5", b"-1", b"+3", b"00", b"01", b"010", b"007", b"0x10", b"0X1f", b"0o17", b"0b11",
    b"1_000", b"0x_1", b"1__0", b"_1", b"1_", b"", b"-", b"0x", b"- 5", b"12a", b"5\x00zz", b"0_0",
    b"99999999999999999999", b"-0x8000000000000000", b"0" * 30, b"9" * 40, b"\xb2", b"1e3", b"0_7"]
FLOATS = [
    b"0.0", b"-1.5", b"1e5", b"1e400", b"inf", b"-Infinity", b"nan", b"1_0.5", b"1_.5", b"._5", b".5",
    b"5.", b".", b"1e", b"0x1p3", b"1.5\x00z", b"", b"+1.0", b"1e-_5", b"in", b"nan(1)"]
NAMES = [
    b"os", b"system", b"a.b", b"collections", b"OrderedDict", b"exceptions", b"StandardError",
    b"__builtin__", b"basestring", b"xrange", b"UserDict", b"urllib", b"quote_plus", b"commands",
    b"Tkinter", b"socket", b"_socketobject", b"with space", b"cr\r", b"\xc3\xa9", b"exceptions",
    b"OSError", b"multiprocessing", b"TimeoutError", b"x"]
TEXTS = NAMES + [b"\\u0041b", b"\\\\u0041", b"\\", b"\\U0001f600", b"\\ud800", b"\\u12", b"\xe9", b""]
QUOTED = [
    b"'a'", b'"os"', b"'os'", b"'system'", b"'\\x41'", b"'\\101'", b"'\\x4'", b"'a", b"a'", b"''", b"'",
    b"'\\'", b"'a' ", b"'\\q'", b"'\\\\'", b"\"'\""]


class Programs:
    """Programs of a pickle machine, honest and not, from a seed."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.seeds = [self.honest(protocol) for protocol in range(6) for _ in range(8)]

    def next(self):
        choice = self.random.random()
        if choice < 0.55:
            return self.program()
        data = self.random.choice(self.seeds)
        data = self.mutated(data)
        if choice < 0.9:
            return data
        return self.mutated(data + self.program())

    def honest(self, protocol):
        """A pickle of Python's own, with objects, sharing and large bytes."""
        shared = [Named("a"), {"k": (1, 2.5, None, True)}, {3}, frozenset({4}), b"bytes", "text"]
        value = {
            "o": Named("b"), "shared": [shared, shared], "n": [10 ** 30, -5, 70000, 300],
            "c": Named, "ba": bytearray(b"xyz"), "e": ValueError("x"), "long": "x" * 300,
            "r": range(3), "nested": Named.Inner if protocol >= 4 else None}
        if self.random.random() < 0.1:
            value["frames"] = [b"y" * 70_000, "z" * 66_000, list(range(20_000))]
        items = list(value.items())
        self.random.shuffle(items)
        return pickle.dumps(dict(items[:self.random.randint(1, len(items))]), protocol)

    def mutated(self, data):
        data = bytearray(data)
        for _ in range(self.random.choice([1, 1, 2, 3, 6])):
            place = self.random.randrange(len(data) + 1)
            change = self.random.randrange(6)
            if change == 0 and place < len(data):
                data[place] = self.random.randrange(256)
            elif change == 1 and place < len(data):
                data[place] ^= 1 << self.random.randrange(8)
            elif change == 2:
                data[place:place] = self.operation()
            elif change == 3:
                del data[place:place + self.random.choice([1, 1, 2, 9, 40])]
            elif change == 4:
                data[place:place] = b"\x95" + struct.pack("<Q", self.random.choice(
                    [0, 1, 2, 3, 5, 9, 17, 300, max(0, len(data) - place)]))
            else:
                self.change_frame(data)
        return bytes(data)

    def change_frame(self, data):
        """Makes a frame a little longer or shorter."""
        places = [index for index in range(len(data) - 9) if data[index] == 0x95
                  and data[index + 4:index + 9] == bytes(5)]
        if places:
            place = self.random.choice(places)
            count = struct.unpack_from("<Q", data, place + 1)[0]
            count = max(0, count + self.random.choice([-9, -3, -2, -1, 1, 2, 3, 9]))
            struct.pack_into("<Q", data, place + 1, count)

    def program(self):
        """Operations that mostly find on the stack what they take."""
        data = bytearray()
        if self.random.random() < 0.7:
            data += b"\x80" + bytes([self.random.choice([0, 1, 2, 2, 3, 4, 4, 5, 5, 6])])
        for _ in range(self.random.choice([2, 4, 8, 16, 32])):
            data += self.operation()
        data += b"."
        if b"\x80" in data and self.random.random() < 0.3:
            count = self.random.randint(0, len(data) + 2)
            data[2:2] = b"\x95" + struct.pack("<Q", count)
        return bytes(data)

    def operation(self):
        pick = self.random.choice
        kind = self.random.randrange(16)
        if kind == 0:
            return b"c" + pick(NAMES) + b"\n" + pick(NAMES) + b"\n"
        if kind == 1:
            return pick([b"I", b"L", b"I", b"L"]) + self.number() + pick([b"", b"", b"L"]) + b"\n"
        if kind == 2:
            return b"F" + pick(SPACES) + pick(FLOATS) + pick(SPACES) + b"\n"
        if kind == 3:
            return pick([b"p", b"g", b"p"]) + self.number() + b"\n"
        if kind == 4:
            return pick([b"V" + pick(TEXTS), b"S" + pick(QUOTED), b"P" + pick(NAMES)]) + b"\n"
        if kind == 5:
            text = pick(NAMES)
            return pick([b"\x8c", b"U", b"C"]) + bytes([len(text)]) + text
        if kind == 6:
            text = pick(NAMES)
            return pick([b"X", b"T", b"B"]) + struct.pack("<I", len(text)) + text
        if kind == 7:
            text = pick(NAMES)
            return pick([b"\x8d", b"\x8e", b"\x96"]) + struct.pack("<Q", len(text)) + text
        if kind == 8:
            return pick([
                b"K\x01", b"M\x01\x02", b"J\xff\xff\xff\xff", b"\x8a\x00", b"\x8a\x01\x80",
                b"\x8b\x01\0\0\0\x07", b"G" + bytes(8), b"N", b"\x88", b"\x89"])
        if kind == 9:
            return pick([b"]", b"}", b")", b"\x8f", b"(", b"(", b"("])
        if kind == 10:
            return pick([b"h\x00", b"q\x00", b"q\x01", b"h\x01", b"\x94", b"\x94", b"j\0\0\0\0", b"r\1\0\0\0"])
        if kind == 11:
            return pick([b"t", b"l", b"d", b"\x91", b"\x85", b"\x86", b"\x87", b"1", b"0", b"2"])
        if kind == 12:
            return pick([b"a", b"e", b"s", b"u", b"\x90", b"b", b"(e", b"(u", b"(\x90", b"Nb", b"}b"])
        if kind == 13:
            return pick([
                b")R", b"R", b")\x81", b"\x81", b")}\x92", b"\x92", b"o", b"Q", b"\x98", b"\x97", b"\x82\x01"])
        if kind == 14:
            name = b"\x8c" + bytes([1]) + b"m" + b"\x8c" + bytes([1]) + b"n" + b"\x93"
            return pick([name, b"\x93", b"i" + pick(NAMES) + b"\n" + pick(NAMES) + b"\n"])
        return pick([b"cm\nC\n)R", b"cm\nC\n)\x81}b", b"]K\x01a", b"}K\x01K\x02s", b"(K\x01K\x02l"])

    def number(self):
        pick = self.random.choice
        return pick(SPACES) + pick(NUMBERS) + pick(SPACES)


class Named:
    """A class whose instances have a state."""

    class Inner:
        pass

    def __init__(self, name):
        self.name = name
