"""Every rule of Scripts/lint finds its breach, and nothing else."""

import importlib.machinery
import importlib.util
import pathlib
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).parents[2] / "Scripts/lint"


def load(path):
    loader = importlib.machinery.SourceFileLoader("lint", str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("lint", loader))
    loader.exec_module(module)
    return module


lint = load(SCRIPT)


def target(name, *dependencies, type="regular"):
    return {
        "name": name, "type": type, "path": f"Sources/{name}",
        "dependencies": [{"byName": [d, None]} for d in dependencies]}


PACKAGE = {
    "targets": [
        target("CLow", type="system"), target("Low", "CLow"), target("Middle", "Low", "CLow"),
        target("High", "Middle")]}


class Breaches(unittest.TestCase):
    def found(self, files, package=PACKAGE):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            for name, text in files.items():
                file = root / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
            return [
                f"{path}:{line}: {sentence}"
                for path, line, sentence in lint.breaches(root, lint.Package(package))]

    def test_clean_tree(self):
        self.assertEqual(self.found({
            "Sources/Low/A.swift": "internal import CLow\n\n/// Whether it is unsafe: f(x)\n",
            "Sources/High/B.swift":
                'internal import Middle\nlet a = "import Foundation // TODO \\(f("unsafe"))"\n'
                'let b = 0x7d  // }\n'
                '// Prose about code: a guard is not enough, so let the caller decide.\n',
            "Tests/x.sh": "#!/bin/sh\necho fine\n",
        }), [])

    def test_import_of_transitive_dependency(self):
        self.assertEqual(self.found({"Sources/High/A.swift": "internal import Low\n"}), [
            "Sources/High/A.swift:1: High imports Low, which Package.swift does not let it"])

    def test_import_upwards(self):
        self.assertEqual(self.found({"Sources/Low/A.swift": "\ninternal import High\n"}), [
            "Sources/Low/A.swift:2: Low imports High, which Package.swift does not let it"])

    def test_dependency_upwards(self):
        package = {"targets": [target("Low", "High"), target("High")]}
        self.assertEqual(self.found({}, package), [
            "Package.swift:1: Low depends on High, which stands below it"])

    def test_import_without_access_level(self):
        self.assertEqual(self.found({"Sources/High/A.swift": "import Middle\n"}), [
            "Sources/High/A.swift:1: import of Middle without access level: internal or public"])

    def test_foundation(self):
        self.assertEqual(self.found({"Sources/Low/A.swift": "internal import Foundation\n"}), [
            "Sources/Low/A.swift:1: Foundation is not among the modules that sources may import"])

    def test_c_library_elsewhere(self):
        self.assertEqual(self.found({"Sources/High/A.swift": "internal import struct Glibc.stat\n"}), [
            "Sources/High/A.swift:1: High imports Glibc; only CkptBase, ckptconv may"])

    def test_c_module_in_two_modules(self):
        files = {
            "Sources/Low/A.swift": "internal import CLow\n",
            "Sources/Middle/B.swift": "internal import CLow\n"}
        self.assertEqual(self.found(files), [
            "Sources/Middle/B.swift:1: CLow is imported by Low and Middle: one is enough"])

    def test_file_without_target(self):
        self.assertEqual(self.found({"Sources/Other/A.swift": "\n"}), [
            "Sources/Other/A.swift:1: belongs to no target of Package.swift"])

    def test_unsafe(self):
        self.assertEqual(self.found({"Sources/Low/A.swift": "\n// Safe: x.\nlet a = unsafe f()\n"}), [
            "Sources/Low/A.swift:3: `unsafe` outside the files that Scripts/lint lists"])

    def test_unsafe_in_interpolation(self):
        text = 'let a = "\\(unsafe f(")"))"\nlet b = #"\\(unsafe)"#\nlet c = """\n  unsafe " \n  """\n'
        self.assertEqual(self.found({"Sources/Low/A.swift": text}), [
            "Sources/Low/A.swift:1: `unsafe` outside the files that Scripts/lint lists"])

    def test_allowed_unsafe(self):
        package = {"targets": [dict(target("CkptBase"), path="Sources/Formats/Base")]}
        files = {
            "Sources/Formats/Base/ByteReader.swift": "let a = unsafe f()\n",
            "Sources/Formats/Base/ByteSource.swift": "// Safe: x.\nlet a = 1\n",
            "Sources/Formats/Base/Syscalls.swift": "// Safe: x.\nlet a = unsafe f()\n",
            "Sources/Formats/Base/Syscalls+Directory.swift": "// Safe: x.\nlet a = unsafe f()\n"}
        self.assertEqual(self.found(files, package), [
            "Sources/Formats/Base/ByteReader.swift:1: no `// Safe:` comment above names the guard of"
            " this use",
            "Sources/Formats/Base/ByteSource.swift:1: listed in Scripts/lint, but nothing in it is"
            " `unsafe`"])

    def lines_without_guard(self, text):
        package = {"targets": [dict(target("CkptBase"), path="Sources/Formats/Base")]}
        found = self.found({"Sources/Formats/Base/Syscalls.swift": text}, package)
        self.assertTrue(all("names the guard of this use" in line for line in found), found)
        return [int(line.split(":")[1]) for line in found]

    def test_guard_of_each_use(self):
        for text, lines in [
            # On the line, on the line above, above the statement that it is a part of.
            ("let a = unsafe f()  // Safe: x.\n", []),
            ("// Safe: x.\nlet a = unsafe f()\nlet b = unsafe g()\n", []),
            ("  // Safe: x.\n  let a = f {\n    unsafe g(\n      unsafe h)\n  }\n", []),
            # An empty line, or the end of the block, ends what a comment says.
            ("// Safe: x.\nlet a = unsafe f()\n\nlet b = unsafe g()\n", [4]),
            ("if a {\n  // Safe: x.\n  unsafe f()\n}\nunsafe g()\n", [5]),
            ("if a {\n  // Safe: x.\n  unsafe f()\n} else {\n  unsafe g()\n}\n", [5]),
            # Neither is another comment one, nor one that stands below.
            ("// Unsafe: x.\nunsafe f()\n// Safe: x.\nunsafe g()\n", [2]),
            ("// Safe x.\nunsafe f(\n  unsafe g())\n", [2, 3]),
        ]:
            with self.subTest(text):
                self.assertEqual(self.lines_without_guard(text), lines)

    def test_flag_in_a_library(self):
        package = {"targets": [*PACKAGE["targets"], target("Converter/ckptconv")]}
        self.assertEqual(self.found({
            "Sources/Converter/ckptconv/A.swift": 'let a = "use --force"\n',
            "Sources/Low/A.swift":
                '// "--force" is a flag\nlet a = "use --force"\nlet b = "x -o y"\nlet c = "a-of-b"\n',
        }, package), [
            f"Sources/Low/A.swift:{line}: a string names a flag, which only "
            "Sources/Converter/ckptconv/ knows" for line in (2, 3)])

    def test_work_left_open(self):
        self.assertEqual(self.found({
            "Sources/Low/A.swift": "let a = 1  // TODO: more\n",
            "Tests/LowTests/A.swift": "/* FIXME */\n",
        }), [
            "Sources/Low/A.swift:1: TODO: finish it or open an issue",
            "Tests/LowTests/A.swift:1: FIXME: finish it or open an issue"])

    def test_commented_out_code(self):
        for code in [
            "let a = 1", "var a: Int", "return f(x)", "if a {", "} else {", "}", "f(x)", "a.b(c)",
            "a[0] += b", "import Zip", "func f(x: Int) {", "public func f()", "try f(x)",
            "guard let a else { return } {",
        ]:
            with self.subTest(code):
                self.assertEqual(self.found({"Sources/Low/A.swift": f"\n// {code}\n"}), [
                    "Sources/Low/A.swift:2: commented-out code"])

    def test_prose_that_is_no_code(self):
        for prose in [
            "Safe: the caller's guard covers this.", "return early: nothing is left",
            "if nothing is left, the loop ends", "see f(x) for the reason", "let it be",
            "RFC 1951, section 3.2 (fixed codes)", "one { in prose, unmatched",
        ]:
            with self.subTest(prose):
                self.assertEqual(self.found({"Sources/Low/A.swift": f"// {prose}\n"}), [])

    def test_relative_opening(self):
        text = "/// Which file it is.\nlet a = 1\n/// A file.\n/// What it has.\nlet b = 1\n"
        self.assertEqual(self.found({"Tests/Low/A.swift": text}), [
            "Tests/Low/A.swift:1: a doc comment begins with Which: begin with a noun or a verb"])

    def test_british_spelling(self):
        # In two parts, because the rule reads this file too.
        text = "the neighb" + "our of an initial" + "ised word: size, rise, precise, cancelled\n"
        self.assertEqual(self.found({"Documentation/a.md": text}), [
            "Documentation/a.md:1: 'neighb" + "our' is British spelling",
            "Documentation/a.md:1: 'initial" + "ised' is British spelling"])

    def test_system_call_in_a_message(self):
        text = "error: a.pt: no such file (open)\nerror: a.pt: no such file\na function (open)\n"
        self.assertEqual(self.found({"Documentation/a.md": text}), [
            "Documentation/a.md:1: a message names a system call, (open)"])

    def test_long_source(self):
        self.assertEqual(self.found({"Sources/Low/A.swift": "\n" * 401}), [
            "Sources/Low/A.swift:401: 401 lines; more than 400 hold two ideas"])

    def test_scripts_that_do_not_parse(self):
        found = self.found({
            "Scripts/a": "#!/bin/sh\nif\n",
            "Scripts/b.py": "def f(:\n",
            ".ci/run": "#!/usr/bin/env bash\nfor x in (; do\n",
            ".build/c.py": "def f(:\n",
        })
        self.assertEqual([line.split(": ")[0] for line in found], [
            ".ci/run:1", "Scripts/a:1", "Scripts/b.py:1"])
        self.assertEqual([line.split(": ")[1] for line in found], ["bash", "sh", "Python"])


if __name__ == "__main__":
    unittest.main()
