#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/os/files.h"
#include "ir/op_set.h"
#include "test_paths.h"

// docs/ops.md is the operator set, written out. POLARIS_UPDATE_DOCS=1 writes it anew.
namespace polaris::test {
namespace {

/// Attribute names, types and defaults, as "`axis` int = -1".
class AttrLister final : public AttrVisitor {
 public:
  void field(std::string_view n, std::int64_t& v) override {
    // The largest integer stands for "no limit".
    add(n, "int", v == INT64_MAX ? "" : std::to_string(v));
  }
  void field(std::string_view n, float& v) override { add(n, "float", short_number(v)); }
  void field(std::string_view n, bool& v) override { add(n, "bool", v ? "1" : "0"); }
  void field(std::string_view n, std::string& v) override { add(n, "string", v); }
  void field(std::string_view n, DType& v) override { add(n, "type", std::string(dtype_name(v))); }
  void field(std::string_view n, Tensor&) override { add(n, "tensor", ""); }
  void field(std::string_view n, std::vector<std::int64_t>&) override { add(n, "ints", ""); }
  void field(std::string_view n, std::vector<float>&) override { add(n, "floats", ""); }
  void field(std::string_view n, std::vector<std::string>&) override { add(n, "strings", ""); }
  std::string text;

 private:
  static std::string short_number(float v) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%g", static_cast<double>(v));
    return buffer;
  }
  void add(std::string_view name, const char* type, const std::string& value) {
    text += (text.empty() ? "`" : ", `") + std::string(name) + "` " + type;
    if (!value.empty()) text += " = " + value;
  }
};

std::string ports(std::span<const Port> list) {
  std::string out;
  for (const Port& port : list) {
    if (!out.empty()) out += ", ";
    out += port.name;
    if ((port.flags & kOptional) != 0) out += "?";
    if ((port.flags & kVariadic) != 0) out += "...";
    if ((port.flags & kHostRead) != 0) out += " (host)";
    if ((port.flags & kAcceptsEncoded) != 0) out += " (encoded)";
  }
  return out;
}

std::string describe(const OpDef& op) {
  std::string out = "### " + op_full_name(op) + "\n\n" + std::string(op.doc) + "\n\n";
  out += "- inputs: " + ports(op.inputs) + "\n- outputs: " + ports(op.outputs) + "\n";
  if (op.make_attrs != nullptr) {
    AttrLister lister;
    op.make_attrs()->visit(lister);
    out += "- attributes: " + lister.text + "\n";
  }
  std::string kind;
  const auto note = [&](bool holds, const char* what) {
    if (holds) kind += (kind.empty() ? "" : ", ") + std::string(what);
  };
  note(op.has_trait(kElementwise), "elementwise");
  note(op.has_trait(kDataDependent), "output shape depends on data");
  note(op.has_trait(kControl), "control flow");
  note(op.has_trait(kStateful), "updates its state in place");
  note(op.view != nullptr, "may be a view");
  note(op.decompose != nullptr, "has a decomposition");
  if (!kind.empty()) out += "- " + kind + "\n";
  if (op.domain.empty()) out += "- ONNX op-set " + std::to_string(op.since) + "\n";
  return out + "\n";
}

std::string document() {
  std::string out =
      "# Operators\n\n"
      "Written from the OpDefs in src/ir/op by tests/conformance/ops_doc_test.cc; do not edit.\n"
      "Semantics are ONNX's of the op-set named; domain polaris is ours. `?` is optional, `...`\n"
      "any number, `(host)` read while planning, `(encoded)` may be an encoded constant.\n\n";
  for (const OpDef* op : OpSet::builtin().all()) out += describe(*op);
  out.pop_back();
  return out;
}

}  // namespace

TEST_CASE("docs/ops.md lists the operators as they are") {
  const std::string path = std::string(kSourceDir) + "/docs/ops.md";
  const std::string text = document();
  if (std::getenv("POLARIS_UPDATE_DOCS") != nullptr) REQUIRE(write_file(path, text).ok());
  const auto stored = read_file(path, 1 << 20);
  REQUIRE_MESSAGE(stored.ok(), "docs/ops.md is missing");
  CHECK_MESSAGE(*stored == text, "docs/ops.md is out of date: run with POLARIS_UPDATE_DOCS=1");
}

TEST_CASE("every operator is whole") {
  for (const OpDef* op : OpSet::builtin().all()) {
    CAPTURE(op_full_name(*op));
    CHECK(!op->doc.empty());
    const bool infers = op->infer != nullptr;
    CHECK(infers);
    CHECK(!op->outputs.empty());
    const bool refers = op->reference != nullptr;
    CHECK(refers != op->has_trait(kControl));
    CHECK((op->domain.empty() || op->domain == "polaris"));
    for (const InPlace& pair : op->inplace) {
      CHECK(pair.input < static_cast<int>(op->inputs.size()));
      CHECK(pair.output < static_cast<int>(op->outputs.size()));
    }
  }
}

}  // namespace polaris::test
