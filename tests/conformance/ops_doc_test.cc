#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/os/files.h"
#include "ir/op_attrs/select.h"
#include "ir/op_set.h"
#include "ir/op_util/ml.h"
#include "support/process.h"
#include "tensor/block_format.h"
#include "test_paths.h"

// docs/ops.md is the operator set and what each backend takes of it, written out.
// POLARIS_UPDATE_DOCS=1 writes it anew.
namespace polaris::test {
namespace {

/// Attribute names, types and defaults, as "`axis` int = -1".
class AttrLister final : public AttrVisitor {
 public:
  void field(std::string_view n, std::int64_t& v) override {
    // The largest integer stands for "no limit".
    add(n, "int", v == INT64_MAX ? "" : std::to_string(v));
  }
  void field(std::string_view n, float& v) override {
    // NaN stands for "not said".
    add(n, "float", std::isnan(v) ? "" : short_number(v));
  }
  void field(std::string_view n, bool& v) override { add(n, "bool", v ? "1" : "0"); }
  void field(std::string_view n, std::string& v) override { add(n, "string", v); }
  void field(std::string_view n, DType& v) override {
    add(n, "type", v == kTypeOfInput ? "" : std::string(dtype_name(v)));
  }
  void field(std::string_view n, Tensor&) override { add(n, "tensor", ""); }
  void field(std::string_view n, std::vector<std::int64_t>&) override { add(n, "ints", ""); }
  void field(std::string_view n, std::vector<float>&) override { add(n, "floats", ""); }
  void field(std::string_view n, std::vector<std::string>&) override { add(n, "strings", ""); }
  void require(std::string_view) override { fields_.back().value = " (required)"; }

  std::string text() const {
    std::string out;
    for (const Field& field : fields_) {
      out += (out.empty() ? "`" : ", `") + field.name + "` " + field.type + field.value;
    }
    return out;
  }

 private:
  struct Field {
    std::string name;
    const char* type;
    std::string value;
  };
  static std::string short_number(float v) {
    char buffer[32];
    std::snprintf(buffer, sizeof buffer, "%g", static_cast<double>(v));
    return buffer;
  }
  void add(std::string_view name, const char* type, const std::string& value) {
    fields_.push_back({std::string(name), type, value.empty() ? "" : " = " + value});
  }
  std::vector<Field> fields_;
};

std::string ports(std::span<const Port> list) {
  if (list.empty()) return "none";
  std::string out;
  for (const Port& port : list) {
    if (!out.empty()) out += ", ";
    out += port.name;
    if ((port.flags & kOptional) != 0) out += "?";
    if ((port.flags & kVariadic) != 0) out += "...";
    if ((port.flags & kHostRead) != 0) out += " (host)";
    if ((port.flags & kAcceptsEncoded) != 0) out += " (encoded)";
    const bool sequence = (port.flags & kSequence) != 0;
    const bool optional = (port.flags & kOptionalValue) != 0;
    const bool tensor = (port.flags & kNoTensor) == 0;
    if (sequence) out += tensor ? " (or a sequence)" : " (a sequence)";
    if (optional) out += " (or an optional)";
  }
  return out;
}

std::string describe(const OpDef& op) {
  std::string out = "### " + op_full_name(op) + "\n\n" + std::string(op.doc) + "\n\n";
  out += "- inputs: " + ports(op.inputs) + "\n- outputs: " + ports(op.outputs) + "\n";
  if (op.make_attrs != nullptr) {
    AttrLister lister;
    op.make_attrs()->visit(lister);
    out += "- attributes: " + lister.text() + "\n";
  }
  std::string kind;
  const auto note = [&](bool holds, const char* what) {
    if (holds) kind += (kind.empty() ? "" : ", ") + std::string(what);
  };
  note(op.has_trait(kElementwise), "elementwise");
  note(op.has_trait(kDataDependent), "output shape depends on data");
  note(op.is_control(), "control flow");
  note(op.reference == nullptr && op.host != nullptr, "on the host");
  note(op.has_trait(kStateful), "updates its state in place");
  note(op.view != nullptr, "may be a view");
  note(op.decompose != nullptr, "has a decomposition");
  if (!kind.empty()) out += "- " + kind + "\n";
  const bool is_ml = op.domain == kMlDomain;
  if (op.domain.empty() || is_ml) {
    out += "- ONNX op-set " + std::to_string(op.since) + (is_ml ? " of ai.onnx.ml\n" : "\n");
  }
  return out + "\n";
}

std::string document() {
  std::string out =
      "# Operators\n\n"
      "Written from the OpDefs in src/ir/op by tests/conformance/ops_doc_test.cc; do not edit.\n"
      "Semantics are ONNX's of the op-set named; domain polaris is ours. `?` is optional, `...`\n"
      "any number, `(host)` read while planning, `(encoded)` may be an encoded constant.\n\n";
  for (const OpDef* op : OpSet::builtin().all()) out += describe(*op);
  return out;
}

constexpr const char* kTableTitle = "## Backends";

/// A reason that every family has.
constexpr const char* kF64 = "float64, which stays on the cpu";

/// Reasons that differ in nothing but a block format, as one that names all of those.
std::vector<std::string> one_for_all_formats(const std::vector<std::string>& reasons) {
  std::vector<std::string> out;
  std::map<std::string, std::size_t> places;  // by what stands before and behind the name
  std::vector<std::size_t> ends;              // of the last name
  for (const std::string& reason : reasons) {
    std::string name;
    std::size_t at = std::string::npos;
    for (int f = 0; f < kBlockFormatCount && at == std::string::npos; ++f) {
      name = block_format_info(static_cast<BlockFormat>(f)).name;
      at = (reason + ";").find(" of " + name + ";");
    }
    const std::size_t end = at == std::string::npos ? 0 : at + 4 + name.size();
    const std::string rest =
        at == std::string::npos ? reason : reason.substr(0, at) + reason.substr(end);
    const auto [place, fresh] = places.emplace(rest, out.size());
    if (fresh) {
      out.push_back(reason);
      ends.push_back(end);
    } else if (ends[place->second] != 0) {
      out[place->second].insert(ends[place->second], ", " + name);
      ends[place->second] += 2 + name.size();
    }
  }
  return out;
}

/// What a backend said to the samples of one op.
struct Answers {
  int own = 0;      // kernels made for it
  int generic = 0;  // by the op's definition, slowly
  int refused = 0;
  std::vector<std::string> reasons;

  std::string cell() const {
    if (own == 0 && refused == 0) return "by definition";
    if (refused == 0) return generic == 0 ? "all" : "mostly";
    const bool f64 = std::find(reasons.begin(), reasons.end(), kF64) != reasons.end();
    std::string rest;
    for (const std::string& reason : one_for_all_formats(reasons)) {
      if (reason != kF64) rest += (rest.empty() ? "" : "; ") + reason;
    }
    if (own == 0) return "no: " + rest;
    if (rest.empty()) return "all but float64";
    return (f64 ? "all but float64; not: " : "not: ") + rest;
  }
};

/// A refusal without the node's name.
std::string reason_of(const std::string& refusal) {
  const std::size_t node = refusal.find("] node '");
  const std::size_t end = refusal.find("': ", node == std::string::npos ? 0 : node);
  if (node != std::string::npos && end != std::string::npos) return refusal.substr(end + 3);
  const std::size_t op = refusal.find("] ");
  return op == std::string::npos ? refusal : refusal.substr(op + 2);
}

/// Asks every sample of tests/op for its kernels, in a process of its own, because the samples live
/// in other tests: but for the long axes, whose refusals are a software rasterizer's and say
/// nothing of a card, and for small dtypes, which no kernel takes. Empty without a Vulkan device.
std::string backend_table() {
  TemporaryFolder folder;
  const std::string report = folder.file("kernels.tsv");
  const ProcessResult asked =
      run_process({"/usr/bin/env", "POLARIS_SELECT_REPORT=" + report, "POLARIS_DEVICES=cpu,vulkan",
                   std::string(kBuildDir) + "/op_tests", "-sf=*tests/op/*",
                   "-sfe=*tests/op/long_axes.cc,*tests/op/small_dtypes.cc"});
  REQUIRE_MESSAGE(asked.exit_code == 0, asked.out);
  const auto lines = read_file(report, 64 << 20);
  REQUIRE(lines.ok());
  std::map<std::string, std::map<std::string, Answers>> ops;
  bool vulkan = false;
  std::istringstream in(*lines);
  for (std::string line; std::getline(in, line);) {
    std::vector<std::string> cells;
    std::istringstream fields(line);
    for (std::string cell; std::getline(fields, cell, '\t');) cells.push_back(cell);
    cells.resize(5);
    vulkan = vulkan || cells[0] == "vulkan";
    Answers& answers = ops[cells[1]][cells[0]];
    ++(cells[3].empty()                   ? answers.refused
       : cells[3].starts_with("generic_") ? answers.generic
                                          : answers.own);
    const std::string reason = reason_of(cells[4]);
    auto& reasons = answers.reasons;
    if (cells[3].empty() && std::find(reasons.begin(), reasons.end(), reason) == reasons.end()) {
      reasons.push_back(reason);
    }
  }
  if (!vulkan) return "";
  std::string out = std::string(kTableTitle) + R"(

What select() answers to the samples in tests/op. The reference runs every op; what Vulkan refuses
runs on the cpu. Cpu: *by definition* is slow, *mostly* means that rare types go that way. Vulkan
also refuses, with the reason, what no sample is large enough for: 2^30 elements in one node, or an
operand beyond the device's largest binding where its kernel cannot split it. Dtypes narrower than a
byte and 8-bit floats run by definition, on the cpu (docs/adr/0028).

| op | cpu | vulkan |
|---|---|---|
)";
  for (auto& [op, backends] : ops) {
    out += "| " + op + " | " + backends["cpu"].cell() + " | " + backends["vulkan"].cell() + " |\n";
  }
  return out;
}

}  // namespace

TEST_CASE("docs/ops.md lists the operators and what backends take as they are") {
  const std::string path = std::string(kSourceDir) + "/docs/ops.md";
  const std::string text = document();
  const std::string table = backend_table();
  if (std::getenv("POLARIS_UPDATE_DOCS") != nullptr) {
    REQUIRE_MESSAGE(!table.empty(), "no Vulkan device to ask");
    REQUIRE(write_file(path, text + table).ok());
  }
  const auto stored = read_file(path, 1 << 20);
  REQUIRE_MESSAGE(stored.ok(), "docs/ops.md is missing");
  const std::size_t at = stored->find(kTableTitle);
  CHECK_MESSAGE(stored->substr(0, at) == text,
                "docs/ops.md is out of date: run with POLARIS_UPDATE_DOCS=1");
  REQUIRE(at != std::string::npos);
  if (table.empty()) {
    MESSAGE("skipped: no Vulkan device to ask what it takes");
    return;
  }
  CHECK_MESSAGE(stored->substr(at) == table,
                "the backends in docs/ops.md are out of date: run with POLARIS_UPDATE_DOCS=1");
}

TEST_CASE("every operator is whole") {
  for (const OpDef* op : OpSet::builtin().all()) {
    CAPTURE(op_full_name(*op));
    CHECK(!op->doc.empty());
    const bool infers = op->infer != nullptr;
    CHECK(infers);
    CHECK(!op->outputs.empty());
    CHECK(op->is_defined() != op->is_control());
    CHECK((op->domain.empty() || op->domain == kMlDomain || op->domain == "polaris"));
    for (const InPlace& pair : op->inplace) {
      CHECK(pair.input < static_cast<int>(op->inputs.size()));
      CHECK(pair.output < static_cast<int>(op->outputs.size()));
    }
  }
}

}  // namespace polaris::test
