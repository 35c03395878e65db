#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "backend/elementwise.h"
#include "ir/op_set.h"

// The attributes that kernels take as numbers, and the rows that say how backends run an op.
namespace polaris {
namespace {

/// Every attribute that is a number gets a number of its own.
class Numbered final : public AttrVisitor {
 public:
  void field(std::string_view, std::int64_t&) override {}
  void field(std::string_view, float& v) override { values.push_back(v = next()); }
  void field(std::string_view, bool& v) override { v = !v, values.push_back(v ? 1.0f : 0.0f); }
  void field(std::string_view, std::string&) override {}
  void field(std::string_view, DType&) override {}
  void field(std::string_view, Tensor&) override {}
  void field(std::string_view, std::vector<std::int64_t>&) override {}
  void field(std::string_view, std::vector<float>&) override {}
  void field(std::string_view, std::vector<std::string>&) override {}

  std::vector<float> values;

 private:
  float next() const { return 10.0f + static_cast<float>(values.size()); }
};

}  // namespace

TEST_CASE("an op's numbers are its own attributes, each read where it stands") {
  int seen = 0;
  for (const OpDef* op : OpSet::builtin().all()) {
    if (op->numbers.empty()) continue;
    CAPTURE(op_full_name(*op));
    const bool has_attributes = op->make_attrs != nullptr;
    REQUIRE(has_attributes);
    const auto attrs = op->make_attrs();
    Numbered numbered;
    attrs->visit(numbered);
    REQUIRE(numbered.values.size() == op->numbers.size());
    // In some order: IsInf's are the other way round in its kernels.
    std::vector<float> read;
    for (const AttrNumber number : op->numbers) read.push_back(number(*attrs));
    for (const float value : numbered.values) {
      CHECK(std::count(read.begin(), read.end(), value) ==
            std::count(numbered.values.begin(), numbered.values.end(), value));
    }
    seen += 1;
  }
  CHECK(seen >= 8);
}

TEST_CASE("a row names an op that is there, and a float op of the cpu's has a definition") {
  const OpSet ops = OpSet::builtin();
  for (const ElementwiseRow& row : kElementwiseRows) {
    CAPTURE(row.op);
    const OpDef* op = ops.find(row.op);
    REQUIRE(op != nullptr);
    CHECK(find_elementwise(row.op) == &row);
    const bool one = row.form == ElementForm::kUnary || row.form == ElementForm::kBinary;
    const bool defined = op->scalar != nullptr;
    if (one && row.cpu == CpuForm::kVector) CHECK(defined);
    // Numbers are given to a function by their place, and it has two.
    CHECK(op->numbers.size() <= 2);
    CHECK((row.form == ElementForm::kUnary) ==
          (row.opcode < kUnaryCodes && row.opcode != kOpIdentity));
  }
}

TEST_CASE("reading attributes shows what writing them set, without a copy") {
  const OpDef* op = OpSet::builtin().find("HardSigmoid");
  REQUIRE(op != nullptr);
  const auto attrs = op->make_attrs();
  class Names final : public AttrReader {
   public:
    void field(std::string_view name, const std::int64_t&) override { names += name; }
    void field(std::string_view name, const float& v) override {
      names += std::string(name) + "=" + std::to_string(v) + " ";
    }
    void field(std::string_view name, const bool&) override { names += name; }
    void field(std::string_view name, const std::string&) override { names += name; }
    void field(std::string_view name, const DType&) override { names += name; }
    void field(std::string_view name, const Tensor&) override { names += name; }
    void field(std::string_view name, const std::vector<std::int64_t>&) override { names += name; }
    void field(std::string_view name, const std::vector<float>&) override { names += name; }
    void field(std::string_view name, const std::vector<std::string>&) override { names += name; }
    std::string names;
  };
  Names names;
  const Attrs& read_only = *attrs;
  read_only.read(names);
  CHECK(names.names == "alpha=0.200000 beta=0.500000 ");
}

}  // namespace polaris
