#include <cstring>
#include <utility>

#include "base/bytes.h"
#include "pass/rewrite_rule.h"

namespace polaris {
namespace {

using Kind = AttrLiteral::Kind;

class LiteralReader final : public AttrReader {
 public:
  std::vector<AttrText> fields;

  void field(std::string_view name, const std::int64_t& v) override {
    AttrLiteral& out = add(name, Kind::kInt);
    out.integer = v;
    out.real = static_cast<double>(v);
  }
  void field(std::string_view name, const float& v) override {
    add(name, Kind::kFloat).real = static_cast<double>(v);
  }
  void field(std::string_view name, const bool& v) override { add(name, Kind::kBool).integer = v; }
  void field(std::string_view name, const std::string& v) override {
    add(name, Kind::kString).text = v;
  }
  void field(std::string_view name, const DType& v) override {
    add(name, Kind::kWord).text = std::string(dtype_name(v));
  }
  void field(std::string_view name, const Tensor& v) override {
    add(name, Kind::kTensor).tensor = v;
  }
  void field(std::string_view name, const std::vector<std::int64_t>& v) override {
    AttrLiteral& out = add(name, Kind::kInts);
    out.integers = v;
    out.reals.assign(v.begin(), v.end());
  }
  void field(std::string_view name, const std::vector<float>& v) override {
    add(name, Kind::kFloats).reals.assign(v.begin(), v.end());
  }
  void field(std::string_view name, const std::vector<std::string>& v) override {
    add(name, Kind::kStrings).strings = v;
  }

 private:
  AttrLiteral& add(std::string_view name, Kind kind) {
    fields.push_back({std::string(name), {}, {}});
    fields.back().value.kind = kind;
    return fields.back().value;
  }
};

bool equal_tensors(const Tensor& a, const Tensor& b) {
  if (a.type() != b.type() || a.bytes().size() != b.bytes().size()) return false;
  return a.bytes().empty() || equal_bytes(a.bytes().data(), b.bytes().data(), a.bytes().size());
}

}  // namespace

std::vector<AttrText> attribute_literals(const Attrs& attrs) {
  LiteralReader reader;
  attrs.read(reader);
  return std::move(reader.fields);
}

bool equal_literals(const AttrLiteral& a, const AttrLiteral& b) {
  return a.kind == b.kind && a.integer == b.integer && a.real == b.real && a.text == b.text &&
         a.integers == b.integers && a.reals == b.reals && a.strings == b.strings &&
         equal_tensors(a.tensor, b.tensor);
}

}  // namespace polaris
