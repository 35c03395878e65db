#include "ir/op_util/conv_activation.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include "ir/builtin_op.h"

namespace polaris {
namespace {

/// Calls visit(value) for "alpha" (first) and "beta" of an op's attributes.
template <class Visit>
class Numbers final : public AttrVisitor {
 public:
  explicit Numbers(Visit visit) : visit_(visit) {}
  void field(std::string_view name, float& value) override {
    if (name == "alpha" || name == "beta") visit_(name == "alpha", value);
  }
  void field(std::string_view, std::int64_t&) override {}
  void field(std::string_view, bool&) override {}
  void field(std::string_view, std::string&) override {}
  void field(std::string_view, DType&) override {}
  void field(std::string_view, Tensor&) override {}
  void field(std::string_view, std::vector<std::int64_t>&) override {}
  void field(std::string_view, std::vector<float>&) override {}
  void field(std::string_view, std::vector<std::string>&) override {}

 private:
  Visit visit_;
};

}  // namespace

bool is_conv_activation(std::string_view op) {
  return std::find(std::begin(kConvActivations), std::end(kConvActivations), op) !=
         std::end(kConvActivations);
}

std::unique_ptr<Attrs> activation_attrs(const FusedConvAttrs& attrs) {
  const OpDef* op = find_builtin_op(attrs.activation);
  if (op == nullptr || op->make_attrs == nullptr) return nullptr;
  auto out = op->make_attrs();
  Numbers numbers([&](bool alpha, float& value) { value = alpha ? attrs.alpha : attrs.beta; });
  out->visit(numbers);
  return out;
}

void set_activation(FusedConvAttrs& attrs, std::string_view op, const Attrs* of_op) {
  attrs.activation = op;
  if (of_op == nullptr) return;
  const auto own = of_op->clone();
  Numbers numbers([&](bool alpha, float& value) { (alpha ? attrs.alpha : attrs.beta) = value; });
  own->visit(numbers);
}

}  // namespace polaris
