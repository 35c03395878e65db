#include "ir/required_attrs.h"

namespace polaris {
namespace {

struct Row {
  std::string_view op;
  std::string_view attribute;
};
constexpr Row kRows[] = {
    {"AveragePool", "kernel_shape"},
    {"BitShift", "direction"},
    {"Cast", "to"},
    {"Concat", "axis"},
    {"ConcatFromSequence", "axis"},
    {"GroupNormalization", "num_groups"},
    {"MaxPool", "kernel_shape"},
};

}  // namespace

std::vector<std::string_view> required_attrs(const OpDef& op) {
  std::vector<std::string_view> out;
  for (const Row& row : kRows) {
    if (op.is(row.op)) out.push_back(row.attribute);
  }
  return out;
}

}  // namespace polaris
