// Pads, constant and mirrored.
#include "load/tflite/op/pad.h"

#include <utility>

namespace polaris::tflite {
namespace {

/// [axes, 2] as ONNX has it: all in front, then all behind.
ValueId pads(OperatorImport& o) {
  Builder& b = o.builder();
  return b.reshape(b.transpose(o.index(1), {1, 0}), {-1});
}

/// What stands for zero where moved() gives integers of input 0.
ValueId zero(OperatorImport& o) {
  Builder& b = o.builder();
  if (!o.stays()) return b.number(0);
  const auto& points = o.in(0).quantization.zero_point;
  const bool shifted = o.quantized(0) && !points.empty();
  return b.number(shifted ? static_cast<double>(points[0]) : 0.0, o.dtype(0));
}

std::vector<std::int64_t> column(const std::vector<std::int64_t>& pairs, std::size_t which) {
  std::vector<std::int64_t> out;
  for (std::size_t i = which; i < pairs.size(); i += 2) out.push_back(pairs[i]);
  return out;
}

}  // namespace

ValueId zero_padded(OperatorImport& o, ValueId x, const std::vector<std::int64_t>& before,
                    const std::vector<std::int64_t>& after) {
  std::vector<std::int64_t> all = before;
  all.insert(all.end(), after.begin(), after.end());
  return o.add("Pad", {x, o.builder().ints(all), zero(o)});
}

void pad(OperatorImport& o) { o.give_moved(0, o.add("Pad", {o.moved(0), pads(o), zero(o)})); }

void pad_v2(OperatorImport& o) {
  o.give_moved(
      0, o.add("Pad", {o.moved(0), pads(o),
                       o.builder().reshape(o.moved(2), std::initializer_list<std::int64_t>{})}));
}

void mirror_pad(OperatorImport& o) {
  Builder& b = o.builder();
  const std::int64_t mode = o.byte_option(0);
  if (mode != 0 && mode != 1) return o.fail("mode, got " + std::to_string(mode));
  if (mode == 0) {
    const std::string_view reflect = "reflect";
    return o.give_moved(0, o.add("Pad", {o.moved(0), pads(o)}, {{"mode", reflect}}));
  }
  // The edge is repeated, which ONNX has no mode for.
  const auto pairs = o.needed_ints(1);
  const auto before = column(pairs, 0);
  const auto after = column(pairs, 1);
  ValueId x = o.moved(0);
  for (std::size_t i = 0; i < after.size(); ++i) {
    const auto axis = static_cast<std::int64_t>(i);
    if (before[i] < 0 || after[i] < 0) return o.fail("paddings, wanted 0 or more");
    if (before[i] == 0 && after[i] == 0) continue;
    const auto flipped = [&](std::int64_t from, std::int64_t to) {
      return b.add("Slice", {x, b.ints({from}), b.ints({to}), b.ints({axis}), b.ints({-1})});
    };
    std::vector<ValueId> parts;
    if (before[i] > 0) parts.push_back(flipped(before[i] - 1, INT64_MIN));
    parts.push_back(x);
    if (after[i] > 0) parts.push_back(flipped(-1, -1 - after[i]));
    x = b.add("Concat", std::move(parts), {{"axis", axis}});
  }
  o.give_moved(0, x);
}

}  // namespace polaris::tflite
