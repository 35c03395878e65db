"""Each check of tools/tidy refuses its canary and lets the clean twin pass."""
import os
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tools", "tidy"))
import dead  # noqa: E402
import duplicates  # noqa: E402
import floors  # noqa: E402
import one_name  # noqa: E402
import sizes  # noqa: E402
import style  # noqa: E402
from repo import Repo, blank_comments  # noqa: E402

H = "#pragma once\n"


class Case(unittest.TestCase):
    def found(self, check, files):
        """Messages of one check over a tree given as {path: text}."""
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                full = os.path.join(root, path)
                os.makedirs(os.path.dirname(full), exist_ok=True)
                with open(full, "w") as file:
                    file.write(text)
            repo = Repo(root, list(files))
            return [str(p) for p in check(repo)]

    def refused(self, check, files, what):
        found = self.found(check, files)
        self.assertTrue(any(what in line for line in found), f"{what!r} not in {found}")

    def passes(self, check, files):
        self.assertEqual(self.found(check, files), [])


class Floors(Case):
    def test_an_include_that_goes_down_a_floor(self):
        files = {"src/base/a.cc": '#include "ir/graph.h"\n', "src/ir/graph.h": H}
        self.refused(floors.check, files, "base lies above ir")

    def test_an_include_that_goes_up(self):
        self.passes(floors.check, {"src/ir/a.cc": '#include "base/b.h"\n', "src/base/b.h": H})

    def test_text_sees_only_base_and_tensor(self):
        files = {"src/text/a.cc": '#include "ir/graph.h"\n', "src/ir/graph.h": H}
        self.refused(floors.check, files, "text lies above ir")
        files = {"src/text/a.cc": '#include "gcn/wave.h"\n', "src/gcn/wave.h": H}
        self.refused(floors.check, files, "text sees only base, tensor")

    def test_what_ops_mean_knows_nothing_of_text(self):
        files = {"src/ir/a.cc": '#include "text/a.h"\n', "src/text/a.h": H}
        self.refused(floors.check, files, "ir sees only base, media, tensor")

    def test_backends_do_not_see_each_other(self):
        files = {"src/backend/cpu/a.cc": '#include "backend/vulkan/b.h"\n',
                 "src/backend/vulkan/b.h": H}
        self.refused(floors.check, files, "do not see each other")

    def test_a_backend_never_sees_graph_not_even_through_another_header(self):
        files = {"src/backend/cpu/a.cc": '#include "ir/verify.h"\n',
                 "src/ir/verify.h": H + '#include "ir/graph.h"\n', "src/ir/graph.h": H}
        self.refused(floors.check, files, "never sees ir/graph.h")
        self.passes(floors.check, {"src/backend/cpu/a.cc": '#include "ir/op_def.h"\n',
                                   "src/ir/op_def.h": H})

    def test_only_what_speaks_the_c_abi_sees_it(self):
        files = {"include/polaris/polaris_c.h": H}
        for floor in ("session", "backend/cpu", "pipeline"):
            self.refused(floors.check, dict(files, **{
                f"src/{floor}/a.cc": '#include "polaris/polaris_c.h"\n'}), "see the public headers")
        for floor in ("plugin", "capi"):
            self.passes(floors.check, dict(files, **{
                f"src/{floor}/a.cc": '#include "polaris/polaris_c.h"\n'}))

    def test_only_session_wires_backends(self):
        files = {"src/plan/a.cc": '#include "backend/cpu/b.h"\n', "src/backend/cpu/b.h": H}
        self.refused(floors.check, files, "only session and sim wire")
        files = {"src/session/a.cc": '#include "backend/cpu/b.h"\n', "src/backend/cpu/b.h": H}
        self.passes(floors.check, files)

    def test_rooms_of_a_floor(self):
        for room, hidden in (("ir/op", "ir/text"), ("ir/op_util", "ir/text"),
                             ("backend/vulkan/kernel", "backend/vulkan/device"),
                             ("backend/vulkan/parts", "backend/vulkan/device"),
                             ("backend/vulkan/device", "backend/vulkan/parts")):
            files = {f"src/{hidden}/b.h": H}
            self.refused(floors.check, dict(files, **{
                f"src/{room}/a.cc": f'#include "{hidden}/b.h"\n'}), "see")
            self.passes(floors.check, dict(files, **{
                f"src/{hidden}/a.cc": f'#include "{hidden}/b.h"\n'}))

    def test_formats_do_not_see_each_other(self):
        files = {"src/load/onnx/a.cc": '#include "load/gguf/b.h"\n', "src/load/gguf/b.h": H}
        self.refused(floors.check, files, "do not see each other")

    def test_includes_are_rooted(self):
        files = {"src/ir/a.cc": '#include "b.h"\n', "src/ir/b.h": H}
        self.refused(floors.check, files, "rooted at src/")

    def test_an_unknown_floor(self):
        files = {"src/misc/a.cc": '#include "base/b.h"\n', "src/base/b.h": H}
        self.refused(floors.check, files, "misc is no floor")

    def test_system_headers_have_their_place(self):
        self.refused(floors.check, {"src/plan/a.cc": "#include <nlohmann/json.hpp>\n"}, "apps/")
        self.refused(floors.check, {"src/load/a.cc": "#include <sys/mman.h>\n"}, "base/os")
        self.refused(floors.check, {"apps/polaris/a.cc": "#include <regex>\n"}, "hostile")
        self.passes(floors.check, {"src/base/os/a.cc": "#include <sys/mman.h>\n"})


class Style(Case):
    def test_limits(self):
        self.refused(style.check, {"src/base/a.cc": "int a();\n" * 801}, "801 lines")
        self.passes(style.check, {"src/base/a.cc": "int a();\n" * 800})
        self.refused(style.check, {"src/base/a.cc": "//" + "x" * 99 + "\n"}, "101 columns")
        self.refused(style.check, {"src/base/a.cc": "int a(); \n"}, "space at the end")
        self.refused(style.check, {"src/base/a.cc": "int a();"}, "no newline")

    def test_bans(self):
        for text, what in [
                ("int f(char* s) { return atoi(s); }\n", "from_chars"),
                ("auto f(S s) { return std::stoi(s); }\n", "from_chars"),
                ("void f() { throw 1; }\n", "return an Error"),
                ("auto f(B* b) { return dynamic_cast<D*>(b); }\n", "RTTI"),
                ("int f() { return rand(); }\n", "generator"),
                ("void f() { exit(1); }\n", "never ends"),
                ("void f() { std::cout << 1; }\n", "does not print")]:
            self.refused(style.check, {"src/base/a.cc": text}, what)
        self.refused(style.check, {"src/wire/a.cc": "void f() { assert(1); }\n"}, "Error")
        self.refused(style.check, {"src/ir/a.h": H + "using namespace std;\n"}, "in a header")

    def test_what_may_be_empty_is_copied_by_copy_bytes(self):
        for call in ("std::memcpy(to, from, n);", "memset(to, 0, size_t(n) * 4);",
                     "std::memmove(to, from,\n    a.size());", "if (memcmp(a, b, n) == 0) f();",
                     "f(std::memcmp(a.data(), b.data(), a.size()) == 0);"):
            files = {"src/ir/a.cc": f"void f() {{ {call} }}\n"}
            self.refused(style.check, files, "copy_bytes")
        for call in ("std::memcpy(&to, from, sizeof(to));", "std::memcpy(&to, from, 4);",
                     "if (std::memcmp(a, kMagic.data(), kMagic.size()) == 0) f();",
                     "std::memset(block, 0, kScale + 2);"):
            self.passes(style.check, {"src/ir/a.cc": f"void f() {{ {call} }}\n"})

    def test_kernels_read_attributes_as_structs(self):
        for code in ("class Find : AttrReader {};", "node.attrs->read(find);",
                     "attrs.visit(find);", "static_cast<const EluAttrs&>(*node.attrs);"):
            files = {"src/backend/cpu/kernel/a.cc": f"void f() {{ {code} }}\n"}
            self.refused(style.check, files, "reads attributes as a struct")
        self.passes(style.check, {"src/ir/a.cc": "void f() { attrs.read(find); }\n",
                                  "src/backend/cpu/a.cc":
                                      "float f() { return node.attributes<EluAttrs>().alpha; }\n"})

    def test_bans_leave_words_in_comments_and_names_alone(self):
        self.passes(style.check, {"src/wire/a.cc": "// throw, atoi(x)\n"
                                  'const char* a() { return "throw rand()"; }\n'
                                  "static_assert(sizeof(int) == 4);\n"
                                  "void strand();\n"
                                  "void f() { strand(); throw std::bad_alloc(); }\n"})

    def test_words(self):
        self.refused(style.check, {"src/base/a.cc": "// TO" "DO later\n"}, "issue or do it")
        self.refused(style.check, {"README.md": "see /ho" "me/me/x\n"}, "one machine")
        self.refused(style.check, {"README.md": "from py" "pi.org\n"}, "registry")

    def test_headers(self):
        self.refused(style.check, {"src/base/a.h": "int a();\n"}, "pragma once")
        files = {"src/base/a.cc": '#include <string>\n#include "base/a.h"\n', "src/base/a.h": H}
        self.refused(style.check, files, "included first")
        files["src/base/a.cc"] = '#include "base/a.h"\n\n#include <string>\n'
        self.passes(style.check, files)

    def test_global_state(self):
        for text in ["int counter = 0;\n", "namespace a {\nstatic int counter;\n}\n",
                     "std::vector<int> cache{1, 2};\n", "void f() { static int n = 0; n++; }\n",
                     "thread_local int depth = 0;\n", "struct A { static int n; };\n",
                     "const std::string kName = \"x\";\n",
                     "const std::vector<int> kList = {1, 2};\n"]:
            self.refused(style.check, {"src/base/a.cc": text}, "[globals]")

    def test_constants_and_functions_are_no_state(self):
        self.passes(style.check, {"src/base/a.cc": (
            "namespace a {\nnamespace {\nconstexpr long kMax = long{1} << 40;\n"
            "constexpr int kTable[] = {1, 2};\nextern constinit const Op op_a{\n    .x = {1},\n};\n"
            "struct B {\n  int a = 0;\n  static constexpr int b = 1;\n  static int c();\n};\n"
            "}  // namespace\nint f(int x) {\n  static constexpr int kA = 1;\n  int y = kA;\n"
            "  return x + y;\n}\nusing C = int;\nstatic int g(int a = 3);\n"
            "template <class T>\nT h(T t) { return t; }\nclass D;\nenum E { kOne };\n"
            "D& D::operator=(const D& d) { return *this; }\n"
            "D::D(int a) : a_(a), b_{a} {}\n}\n")})

    def test_literals_are_blanked(self):
        self.assertEqual(blank_comments("a(\"//x\", 'y'); // z"), "a(\"   \", \" \");     ")
        self.assertEqual(blank_comments('R"(a"b)" + 1\'000'), '"      " + 1\'000')


class Dead(Case):
    def test_a_header_nobody_includes(self):
        self.refused(dead.check, {"src/base/a.h": H}, "no file includes it")
        self.passes(dead.check, {"src/base/a.h": H, "src/base/b.cc": '#include "base/a.h"\n'})

    def test_a_shader_no_kernel_names(self):
        shader = {"src/backend/vulkan/shader/gemv.comp": "void main() {}\n"}
        self.refused(dead.check, shader, "no kernel names it")
        shader["src/backend/vulkan/kernel/a.cc"] = 'auto a = "gemv.q4";\n'
        self.passes(dead.check, shader)

    def test_data_no_test_reads(self):
        data = {"tests/data/x/a.npy": "x\n"}
        self.refused(dead.check, data, "no test reads it")
        self.passes(dead.check, {**data, "tests/unit/t.cc": 'auto a = load("a.npy");\n'})
        self.passes(dead.check, {**data, "tests/unit/u.cc": 'auto a = all("data/x");\n'})


class Duplicates(Case):
    BODY = "".join(f"  total += weight[{i}] * value[{i} + offset];\n" for i in range(14))

    def test_a_run_in_two_files(self):
        files = {"src/ir/a.cc": f"int a() {{\n{self.BODY}}}\n",
                 "src/ir/b.cc": f"int b() {{\n// why\n{self.BODY.replace(' + ', '  +  ')}}}\n"}
        self.refused(duplicates.check, files, "14 lines as in src/ir/a.cc:2")

    def test_short_runs_pass(self):
        short = "\n".join(self.BODY.split("\n")[:8]) + "\n"
        self.passes(duplicates.check, {"src/ir/a.cc": short, "src/ir/b.cc": short})


class OneName(Case):
    ONE = "namespace polaris {\nstruct Token {\n  int id;\n};\n}\n"

    def test_a_type_in_two_files_of_one_program(self):
        for other in ("src/text/b.h", "apps/polaris/b.cc", "tests/unit/b.cc", "bench/b.cc"):
            self.refused(one_name.check, {"src/ir/a.h": self.ONE, other: self.ONE},
                         "'polaris::Token' is a type of ")

    def test_all_kinds_of_types(self):
        for kind in ("class Token final", "enum class Token : char", "union Token",
                     "template <class T>\nclass Token : public Base<T>"):
            other = f"namespace polaris {{\nint f() {{ return 0; }}\n{kind} {{\n}};\n}}\n"
            self.refused(one_name.check, {"src/ir/a.h": self.ONE, "src/text/b.cc": other}, "Token")

    def test_other_namespaces_and_programs_and_inner_types_pass(self):
        for head, tail in (("namespace polaris {\nnamespace {\n", "}\n}\n"),
                           ("namespace polaris::text {\n", "}\n"),
                           ("namespace polaris {\nclass Reader {\n", "};\n}\n"),
                           ("namespace polaris {\nvoid f() {\n", "}\n}\n")):
            other = head + "struct Token {\n};\n" + tail
            self.passes(one_name.check, {"src/ir/a.h": self.ONE, "src/text/b.cc": other})
        self.passes(one_name.check, {"src/ir/a.h": "namespace polaris { struct Token; }",
                                     "src/text/b.h": self.ONE})
        self.passes(one_name.check, {"tests/op/a.cc": self.ONE, "tests/unit/b.cc": self.ONE})


class Sizes(Case):
    def test_products_with_the_width_of_an_element(self):
        for line in ("n * width_of(d).raw();", "width_of(d).raw() * n;", "width_of(d).of(1) * n;",
                     "*bytes_of(d, 1) * n;", "dtype_info(d).bits / 8;", "n * dtype_info(d).bits;",
                     "n * (w).of(1);"):
            text = f"long a(DType d, long n) {{ return {line} }}\n"
            self.refused(sizes.check, {"src/ir/a.cc": text}, "use bytes_of")
            self.passes(sizes.check, {"src/tensor/dtype.cc": text, "tests/unit/a.cc": text})

    def test_products_with_a_name_that_was_given_it(self):
        for given in ("const auto size = width_of(d).raw();", "long size(width_of(d).of(1));",
                      "auto f = [size = width_of(d).raw()] {};"):
            for use in ("n * size", "size * n", "f(n) * size"):
                text = f"long a(DType d, long n) {{\n{given}\nreturn {use};\n}}\n"
                self.refused(sizes.check, {"src/plan/a.cc": text}, "a product with 'size'")

    def test_what_asks_how_wide_an_element_is(self):
        text = ("long a(DType d, long n, long wide) {\n  const bool w = dtype_info(d).bits == 64;\n"
                "  switch (width_of(d).raw()) { default: break; }\n"
                "  return width_of(d).of(n) + wide * n + bytes_of(d, n).value_or(0);\n}\n")
        self.passes(sizes.check, {"src/ir/a.cc": text})


class Command(unittest.TestCase):
    def test_exit_codes(self):
        tidy = [sys.executable, os.path.join(TOP, "tools", "tidy")]
        with tempfile.TemporaryDirectory() as root:
            subprocess.run(["git", "init", "-q", root], check=True)
            os.makedirs(os.path.join(root, "src/base"))
            path = os.path.join(root, "src/base/a.cc")
            with open(path, "w") as file:
                file.write("int a() { return 1; }\n")
            clean = subprocess.run(tidy + ["--root", root], capture_output=True, text=True)
            self.assertEqual((clean.returncode, clean.stdout), (0, ""))
            with open(path, "a") as file:
                file.write("int counter = 0;\n")
            dirty = subprocess.run(tidy + ["--root", root], capture_output=True, text=True)
            self.assertEqual(dirty.returncode, 1)
            self.assertIn("src/base/a.cc:2: [globals]", dirty.stdout)
            with open(path, "w") as file:
                file.write("int counter = 0;  // tidy: allow globals (a reason)\n")
            allowed = subprocess.run(tidy + ["--root", root], capture_output=True, text=True)
            self.assertEqual((allowed.returncode, allowed.stdout), (0, ""))
            self.assertEqual(subprocess.run(tidy + ["nosuch"], capture_output=True).returncode, 2)


if __name__ == "__main__":
    unittest.main()
