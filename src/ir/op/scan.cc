#include <algorithm>
#include <string>
#include <utility>

#include "ir/op_attrs/control.h"
#include "ir/op_util/control.h"

namespace polaris {
namespace {

Status check_list(const ControlView& v, std::string_view name,
                  const std::vector<std::int64_t>& list, int count) {
  if (list.empty() || std::cmp_equal(list.size(), count)) return Status::success();
  return v.fail("attribute " + std::string(name) + ", got " + std::to_string(list.size()) +
                " values, wanted " + std::to_string(count));
}

Status check_directions(const ControlView& v, std::string_view name,
                        const std::vector<std::int64_t>& list) {
  for (std::int64_t direction : list) {
    if (direction == 0 || direction == 1) continue;
    return v.fail("attribute " + std::string(name) + ", got " + std::to_string(direction) +
                  ", wanted 0 or 1");
  }
  return Status::success();
}

Status check_attributes(const ControlView& v, const ScanAttrs& attrs, int scanned, int stacked) {
  if (auto s = check_list(v, "scan_input_axes", attrs.scan_input_axes, scanned); !s) return s;
  if (auto s = check_list(v, "scan_input_directions", attrs.scan_input_directions, scanned); !s) {
    return s;
  }
  if (auto s = check_list(v, "scan_output_axes", attrs.scan_output_axes, stacked); !s) return s;
  if (auto s = check_list(v, "scan_output_directions", attrs.scan_output_directions, stacked); !s) {
    return s;
  }
  if (auto s = check_directions(v, "scan_input_directions", attrs.scan_input_directions); !s) {
    return s;
  }
  return check_directions(v, "scan_output_directions", attrs.scan_output_directions);
}

std::int64_t at(const std::vector<std::int64_t>& list, int i) {
  return list.empty() ? 0 : list[static_cast<std::size_t>(i)];
}

Status map(ControlView& v) {
  const auto& attrs = v.as<ScanAttrs>();
  if (attrs.num_scan_inputs < 1 || attrs.num_scan_inputs > v.carried(0)) {
    return v.fail("attribute num_scan_inputs, got " + std::to_string(attrs.num_scan_inputs) +
                  ", wanted 1 to the " + std::to_string(v.carried(0)) + " inputs");
  }
  const auto scanned = static_cast<int>(attrs.num_scan_inputs);
  const int carried = v.carried(0) - scanned;
  const int stacked = std::max(v.outputs - carried, 0);
  if (auto s = check_attributes(v, attrs, scanned, stacked); !s) return s;
  v.form = ControlView::Form::kRounds;
  Region& body = v.regions[0];
  for (int i = 0; i < carried; ++i) v.carry(i, i);
  for (int i = 0; i < scanned; ++i) {
    body.inputs.push_back({.from = RegionInput::From::kElement,
                           .operand = carried + i,
                           .axis = at(attrs.scan_input_axes, i),
                           .backward = at(attrs.scan_input_directions, i) == 1});
  }
  for (int i = 0; i < stacked; ++i) {
    v.results.push_back({.from = ControlResult::From::kStacked,
                         .index = carried + i,
                         .axis = at(attrs.scan_output_axes, i),
                         .backward = at(attrs.scan_output_directions, i) == 1});
  }
  body.outputs = v.outputs;
  return Status::success();
}

Status infer(InferContext&) { return Status::success(); }

constexpr Port kInputs[] = {{"initial_state_and_scan_inputs", kVariadic}};
constexpr Port kOutputs[] = {{"final_state_and_scan_outputs", kOptional | kVariadic}};
constexpr ControlDef kControl{.counts_captures = true, .map = map};

}  // namespace

extern constinit const OpDef op_scan{
    .name = "Scan",
    .doc =
        "Runs the body for each slice of the scan inputs along their axes. The body maps "
        "(carried..., slices..., captures...) to (carried..., scan elements...); scan elements are "
        "stacked along the axes of the scan outputs.",
    .since = 25,
    .inputs = kInputs,
    .outputs = kOutputs,
    .make_attrs = make_attrs<ScanAttrs>,
    .infer = infer,
    .control = &kControl,
};

}  // namespace polaris
