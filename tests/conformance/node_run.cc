#include "conformance/node_run.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "base/checked.h"
#include "ir/evaluate.h"

namespace polaris::test {
namespace {

constexpr std::int64_t kGuardBytes = 256;

/// A buffer in the making: operands at odd multiples of the alignment, poison between them.
class Arena {
 public:
  Arena(std::int64_t alignment, std::uint8_t poison) : alignment_(alignment), poison_(poison) {}

  /// Room for `bytes`, filled from `from` or with poison. Returns the offset.
  std::int64_t place(std::int64_t bytes, const std::byte* from) {
    std::int64_t offset = round_up(used() + kGuardBytes, alignment_);
    if (offset / alignment_ % 2 == 0) offset += alignment_;
    grow(offset + bytes);
    if (from != nullptr && bytes > 0) {
      std::memcpy(bytes_.data() + offset, from, static_cast<std::size_t>(bytes));
    }
    return offset;
  }
  void seal() { grow(used() + kGuardBytes); }
  std::int64_t used() const { return static_cast<std::int64_t>(bytes_.size()); }
  const std::vector<std::byte>& bytes() const { return bytes_; }

 private:
  void grow(std::int64_t size) {
    bytes_.resize(static_cast<std::size_t>(size), static_cast<std::byte>(poison_));
  }
  std::int64_t alignment_;
  std::uint8_t poison_;
  std::vector<std::byte> bytes_;
};

/// Where each element of memory, in order, stands in the row-major tensor.
std::vector<std::int64_t> row_major_places(const Shape& shape, Layout layout) {
  const AxisOrder order = layout_order(layout, shape.rank());
  const Shape strides = row_major_strides(shape);
  std::vector<std::int64_t> places = {0};
  for (int i = 0; i < shape.rank(); ++i) {
    const int axis = order[static_cast<std::size_t>(i)];
    std::vector<std::int64_t> next;
    for (std::int64_t place : places) {
      for (std::int64_t k = 0; k < shape[axis]; ++k) next.push_back(place + k * strides[axis]);
    }
    places = std::move(next);
  }
  return places;
}

/// Row-major elements as they stand in memory in `layout`.
std::vector<std::byte> in_layout(const TensorType& type, Layout layout,
                                 std::span<const std::byte> bytes) {
  std::vector<std::byte> out(bytes.begin(), bytes.end());
  if (layout == Layout::kRowMajor) return out;
  const auto size = static_cast<std::size_t>(width_of(type.dtype).raw());
  std::byte* to = out.data();
  for (std::int64_t place : row_major_places(type.shape, layout)) {
    std::memcpy(to, bytes.data() + static_cast<std::size_t>(place) * size, size);
    to += size;
  }
  return out;
}

/// The other way.
std::vector<std::byte> to_row_major(const TensorType& type, Layout layout,
                                    std::span<const std::byte> bytes) {
  std::vector<std::byte> out(bytes.begin(), bytes.end());
  if (layout == Layout::kRowMajor) return out;
  const auto size = static_cast<std::size_t>(width_of(type.dtype).raw());
  const std::byte* from = bytes.data();
  for (std::int64_t place : row_major_places(type.shape, layout)) {
    std::memcpy(out.data() + static_cast<std::size_t>(place) * size, from, size);
    from += size;
  }
  return out;
}

class NodeRun {
 public:
  NodeRun(Device& device, const Sample& sample, const RunOptions& options)
      : device_(device),
        sample_(sample),
        options_(options),
        arena_(device.info().alignment_bytes, options.poison),
        weights_(device.info().alignment_bytes, options.poison) {}

  RunResult run() {
    RunResult out;
    if (auto s = describe(); !s) return fault(s.error(), "infer");
    auto kernel = device_.select(node_);
    if (!kernel) {
      out.refusal = kernel.error().message();
      if (out.refusal.empty() || kernel.error().code() != ErrorCode::kUnsupported) {
        out.fault = "refused without a reason or with a wrong code: " + out.refusal;
      }
      return out;
    }
    out.kernel = (*kernel)->name();
    if (options_.select_only) return out;
    launch_.kernel = *kernel;
    launch_.node_name = sample_.name;
    if (auto s = place(); !s) return fault(s.error(), "place");
    if (auto s = submit(); !s) return fault(s.error(), "submit");
    out.fault = reported();
    if (out.fault.empty()) out.fault = check_memory();
    if (out.fault.empty()) out.fault = collect(out.outputs);
    return out;
  }

 private:
  static RunResult fault(const Error& error, const std::string& where) {
    RunResult out;
    out.fault = where + ": " + error.message();
    return out;
  }

  bool is_weight(std::size_t i) const {
    if (!sample_.inputs[i].data) return false;
    // Scales stand beside a constant only.
    if (sample_.inputs[i].scale) return true;
    return options_.constants && i < sample_.weight.size() && sample_.weight[i];
  }

  Status describe() {
    NodeView view{sample_.op,   sample_.attrs.get(),
                  sample_.name, {},
                  {},           static_cast<std::size_t>(sample_.output_count)};
    for (std::size_t i = 0; i < sample_.inputs.size(); ++i) {
      const Constant& input = sample_.inputs[i];
      OperandDesc desc;
      desc.present = static_cast<bool>(input.data);
      if (desc.present) desc.type = input.data.type();
      if (is_weight(i)) desc.constant = &input;
      if ((sample_.op->input_flags(static_cast<int>(i)) & kSpatial) != 0) {
        desc.layout = options_.layout;
      }
      inputs_.push_back(desc);
      view.add_input({desc.present ? &input.data.type() : nullptr,
                      desc.present ? plain_data(&input) : nullptr});
    }
    values_ = view.values;
    auto inferred = infer_types(view);
    if (!inferred) return inferred.error();
    const bool bounded = sample_.op->has_trait(kDataDependent);
    for (std::size_t i = 0; i < inferred->outputs.size(); ++i) {
      OperandDesc desc;
      desc.type = inferred->outputs[i];
      if (bounded) desc.type.shape = inferred->bounds[i];
      if ((sample_.op->output_flags(static_cast<int>(i)) & kSpatial) != 0) {
        desc.layout = options_.layout;
      }
      outputs_.push_back(desc);
    }
    for (std::size_t i = 0; bounded && i < inferred->outputs.size(); ++i) {
      OperandDesc dims;
      dims.type = {DType::kI64, Shape{outputs_[i].type.shape.rank()}, {}};
      outputs_.push_back(dims);
    }
    // A kernel may see on the host what the op declares so, and constants.
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const bool host = (sample_.op->input_flags(static_cast<int>(i)) & kHostRead) != 0;
      if (!host && !is_weight(i)) values_[i] = nullptr;
    }
    node_ = {sample_.op, sample_.attrs.get(), sample_.name, inputs_, outputs_, values_};
    return Status::success();
  }

  /// The packed or plain bytes of a weight, in the arena of weights (region 0).
  Result<OperandRef> place_weight(int i) {
    const Constant& weight = sample_.inputs[static_cast<std::size_t>(i)];
    if (launch_.kernel->weight_layout(i).empty()) {
      const auto bytes = static_cast<std::int64_t>(weight.data.bytes().size());
      return OperandRef{0, weights_.place(bytes, weight.data.bytes().data()), bytes};
    }
    std::vector<std::byte> packed(static_cast<std::size_t>(launch_.kernel->packed_bytes(i)));
    if (auto s = launch_.kernel->pack(i, weight, packed); !s) return s.error();
    const auto bytes = static_cast<std::int64_t>(packed.size());
    return OperandRef{0, weights_.place(bytes, packed.data()), bytes};
  }

  Status place() {
    const bool any_weight = [&] {
      for (std::size_t i = 0; i < inputs_.size(); ++i) {
        if (is_weight(i)) return true;
      }
      return false;
    }();
    region_ = any_weight ? 1 : 0;
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      launch_.inputs.emplace_back();
      const int index = static_cast<int>(i);
      if (!inputs_[i].present || launch_.kernel->absorbs(index)) continue;
      // As in a plan: what the host reads has no operand.
      if ((sample_.op->input_flags(index) & kHostRead) != 0) continue;
      if (is_weight(i)) {
        auto ref = place_weight(index);
        if (!ref) return ref.error();
        launch_.inputs[i] = *ref;
        continue;
      }
      const Tensor& data = sample_.inputs[i].data;
      const std::vector<std::byte> bytes = in_layout(data.type(), inputs_[i].layout, data.bytes());
      const auto size = static_cast<std::int64_t>(bytes.size());
      launch_.inputs[i] = {region_, arena_.place(size, bytes.data()), size};
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      const std::int64_t size = *outputs_[i].type.bytes();
      OperandRef ref{region_, -1, size};
      for (std::size_t a = 0; a < sample_.op->inplace.size(); ++a) {
        const InPlace& alias = sample_.op->inplace[a];
        const bool here = alias.required || static_cast<int>(a) == options_.inplace;
        if (here && alias.output == static_cast<int>(i)) {
          ref = launch_.inputs[static_cast<std::size_t>(alias.input)];
        }
      }
      if (ref.offset < 0) ref.offset = arena_.place(size, nullptr);
      launch_.outputs.push_back(ref);
    }
    if (const std::int64_t bytes = launch_.kernel->workspace_bytes(); bytes > 0) {
      launch_.workspace = {region_, arena_.place(bytes, nullptr), bytes};
    }
    if (launch_.kernel->reports()) {
      const std::byte none[sizeof(std::uint32_t)] = {};
      launch_.status = {region_, arena_.place(sizeof none, none), sizeof none};
    }
    arena_.seal();
    weights_.seal();
    return Status::success();
  }

  Result<BufferView> upload(const Arena& arena) {
    auto buffer = device_.allocate(arena.used(), MemoryKind::kDevice);
    if (!buffer) return buffer.error();
    const BufferView view{buffer->get(), 0, arena.used()};
    if (auto s = device_.write(view, arena.bytes().data()); !s) return s.error();
    buffers_.push_back(buffer.take());
    return view;
  }

  Status submit() {
    SegmentDesc segment;
    segment.name = "sample";
    segment.launches.push_back(launch_);
    segment.run_regions = 1;
    if (region_ == 1) {
      auto fixed = upload(weights_);
      if (!fixed) return fixed.error();
      segment.fixed.push_back(*fixed);
      weights_view_ = *fixed;
    }
    auto view = upload(arena_);
    if (!view) return view.error();
    view_ = *view;
    auto executable = device_.compile(std::move(segment));
    if (!executable) return executable.error();
    auto fence = device_.submit(**executable, {std::span(&view_, 1), nullptr, nullptr});
    if (!fence) return fence.error();
    if (auto s = device_.wait(*fence); !s) return s;
    after_.resize(arena_.bytes().size());
    if (auto s = device_.read(view_, after_.data()); !s) return s;
    weights_after_.resize(weights_view_.buffer != nullptr ? weights_.bytes().size() : 0);
    if (weights_after_.empty()) return Status::success();
    return device_.read(weights_view_, weights_after_.data());
  }

  /// What the launch found wrong with its data.
  std::string reported() const {
    std::uint32_t code = 0;
    if (!launch_.kernel->reports()) return "";
    std::memcpy(&code, after_.data() + launch_.status.offset, sizeof code);
    return code == 0 ? "" : "reported: " + launch_.kernel->report(code);
  }

  /// Bytes outside the outputs and the workspace are as they were.
  std::string check_memory() const {
    if (!weights_after_.empty() && weights_after_ != weights_.bytes()) {
      return "wrote into the weights";
    }
    std::vector<OperandRef> written = launch_.outputs;
    written.push_back(launch_.workspace);
    std::erase_if(written, [&](const OperandRef& ref) { return ref.region != region_; });
    std::sort(written.begin(), written.end(),
              [](const OperandRef& a, const OperandRef& b) { return a.offset < b.offset; });
    std::int64_t from = 0;
    for (const OperandRef& ref : written) {
      if (const auto changed = first_change(from, ref.offset)) return changed_at(*changed);
      from = std::max(from, ref.offset + ref.bytes);
    }
    const auto changed = first_change(from, static_cast<std::int64_t>(after_.size()));
    return changed ? changed_at(*changed) : "";
  }

  /// The first byte of [from, to) that the launch changed.
  std::optional<std::int64_t> first_change(std::int64_t from, std::int64_t to) const {
    if (from >= to) return std::nullopt;
    const std::byte* before = arena_.bytes().data();
    const auto size = static_cast<std::size_t>(to - from);
    if (std::memcmp(before + from, after_.data() + from, size) == 0) return std::nullopt;
    return std::mismatch(before + from, before + to, after_.data() + from).first - before;
  }

  std::string changed_at(std::int64_t place) const {
    std::string where;
    for (std::size_t k = 0; k < launch_.outputs.size(); ++k) {
      where += " output " + std::to_string(k) + " at " + std::to_string(launch_.outputs[k].offset) +
               "+" + std::to_string(launch_.outputs[k].bytes);
    }
    return "wrote outside its outputs, at byte " + std::to_string(place) + ";" + where;
  }

  std::string collect(std::vector<Tensor>& out) const {
    const auto count = static_cast<std::size_t>(sample_.output_count);
    for (std::size_t i = 0; i < count; ++i) {
      TensorType type = outputs_[i].type;
      if (outputs_.size() > count) {
        const std::byte* dims = after_.data() + launch_.outputs[count + i].offset;
        std::vector<std::int64_t> actual(static_cast<std::size_t>(type.shape.rank()));
        if (!actual.empty()) std::memcpy(actual.data(), dims, actual.size() * sizeof(std::int64_t));
        for (std::size_t d = 0; d < actual.size(); ++d) {
          if (actual[d] < 0 || actual[d] > type.shape[static_cast<int>(d)]) {
            return "actual dim " + std::to_string(actual[d]) + " is outside the bound " +
                   type.shape.to_string();
          }
        }
        type.shape = Shape(actual);
      }
      const std::span raw(after_.data() + launch_.outputs[i].offset,
                          static_cast<std::size_t>(*type.bytes()));
      auto tensor = Tensor::from_bytes(type, to_row_major(type, outputs_[i].layout, raw));
      if (!tensor) return tensor.error().message();
      out.push_back(tensor.take());
    }
    return "";
  }

  Device& device_;
  const Sample& sample_;
  RunOptions options_;
  NodeDesc node_;
  std::vector<OperandDesc> inputs_;
  std::vector<OperandDesc> outputs_;
  std::vector<const Tensor*> values_;
  LaunchDesc launch_;
  std::int32_t region_ = 0;  // of the arena; weights, if any, are region 0
  Arena arena_;
  Arena weights_;
  BufferView view_;
  BufferView weights_view_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<std::byte> after_;
  std::vector<std::byte> weights_after_;
};

}  // namespace

RunResult run_node(Device& device, const Sample& sample, const RunOptions& options) {
  return NodeRun(device, sample, options).run();
}

}  // namespace polaris::test
