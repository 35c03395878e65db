#include "support/device_run.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "ir/evaluate.h"

namespace polaris::test {
namespace {

/// The operands of one node as select() and compile() want them.
class NodeRunner {
 public:
  NodeRunner(Device& device, const OpDef& op, const Attrs& attrs) : device_(device) {
    node_.op = &op;
    node_.attrs = &attrs;
    node_.name = "test";
  }

  Result<std::vector<Tensor>> run(std::span<const Constant* const> inputs, int output_count) {
    const Status described = describe(inputs, output_count);
    if (!described) return described.error();
    Result<std::shared_ptr<const Kernel>> kernel = device_.select(node_);
    if (!kernel) return kernel.error();
    launch_.kernel = *kernel;
    launch_.node_name = "test";
    const Status placed = place(inputs);
    if (!placed) return placed.error();
    SegmentDesc segment;
    segment.name = "test";
    segment.launches.push_back(launch_);
    segment.run_regions = static_cast<std::int32_t>(views_.size());
    Result<std::unique_ptr<Executable>> executable = device_.compile(std::move(segment));
    if (!executable) return executable.error();
    Result<Fence> fence = device_.submit(**executable, {views_, nullptr, nullptr});
    if (!fence) return fence.error();
    const Status waited = device_.wait(*fence);
    if (!waited) return waited.error();
    return collect(output_count);
  }

 private:
  Status describe(std::span<const Constant* const> inputs, int output_count) {
    std::vector<const TensorType*> types;
    for (const Constant* input : inputs) {
      OperandDesc desc;
      desc.present = input != nullptr;
      if (input != nullptr) {
        desc.type = input->data.type();
        // Any value may be known; only encoded ones are offered as weights here.
        if (!desc.type.encoding.is_plain()) desc.constant = input;
      }
      inputs_.push_back(desc);
      types.push_back(input == nullptr ? nullptr : &input->data.type());
      values_.push_back(input == nullptr || !desc.type.encoding.is_plain() ? nullptr
                                                                           : &input->data);
    }
    Result<InferContext> inferred =
        infer_types(*node_.op, *node_.attrs, "test", types, values_, output_count);
    if (!inferred) return inferred.error();
    const bool data_dependent = node_.op->has_trait(kDataDependent);
    for (std::size_t i = 0; i < inferred->outputs.size(); ++i) {
      OperandDesc desc;
      desc.type = inferred->outputs[i];
      if (data_dependent) desc.type.shape = inferred->bounds[i];
      outputs_.push_back(desc);
    }
    for (std::size_t i = 0; data_dependent && i < inferred->outputs.size(); ++i) {
      OperandDesc dims;
      dims.type = {DType::kI64, Shape{outputs_[i].type.shape.rank()}, {}};
      outputs_.push_back(dims);
    }
    // Hidden from kernels unless the op declares that the host reads them.
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if ((node_.op->input_flags(static_cast<int>(i)) & kHostRead) == 0) values_[i] = nullptr;
    }
    node_.inputs = inputs_;
    node_.outputs = outputs_;
    node_.values = values_;
    return Status::success();
  }

  Result<OperandRef> region(std::int64_t bytes, const std::byte* from) {
    auto buffer = device_.allocate(bytes, MemoryKind::kDevice);
    if (!buffer) return buffer.error();
    const BufferView view{buffer->get(), 0, bytes};
    if (from != nullptr && bytes > 0) {
      const Status written = device_.write(view, from);
      if (!written) return written.error();
    }
    buffers_.push_back(buffer.take());
    views_.push_back(view);
    return OperandRef{static_cast<std::int32_t>(views_.size()) - 1, 0, bytes};
  }

  Status place(std::span<const Constant* const> inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      launch_.inputs.emplace_back();
      const int index = static_cast<int>(i);
      if (inputs[i] == nullptr || launch_.kernel->absorbs(index)) continue;
      std::vector<std::byte> packed;
      std::span<const std::byte> bytes = inputs[i]->data.bytes();
      if (inputs_[i].constant != nullptr && !launch_.kernel->weight_layout(index).empty()) {
        packed.resize(static_cast<std::size_t>(launch_.kernel->packed_bytes(index)));
        const Status done = launch_.kernel->pack(index, *inputs[i], packed);
        if (!done) return done;
        bytes = packed;
      }
      Result<OperandRef> ref = region(static_cast<std::int64_t>(bytes.size()), bytes.data());
      if (!ref) return ref.error();
      launch_.inputs.back() = *ref;
    }
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      OperandRef ref;
      for (const InPlace& alias : node_.op->inplace) {
        if (alias.required && alias.output == static_cast<int>(i)) {
          ref = launch_.inputs[static_cast<std::size_t>(alias.input)];
        }
      }
      if (ref.region < 0) {
        Result<OperandRef> fresh = region(*outputs_[i].type.bytes(), nullptr);
        if (!fresh) return fresh.error();
        ref = *fresh;
      }
      launch_.outputs.push_back(ref);
    }
    if (launch_.kernel->workspace_bytes() == 0) return Status::success();
    Result<OperandRef> workspace = region(launch_.kernel->workspace_bytes(), nullptr);
    if (!workspace) return workspace.error();
    launch_.workspace = *workspace;
    return Status::success();
  }

  Result<Tensor> read_output(std::size_t i, const Shape& shape) {
    TensorType type = outputs_[i].type;
    type.shape = shape;
    Result<Tensor> tensor = Tensor::allocate(type);
    if (!tensor) return tensor.error();
    BufferView view = views_[static_cast<std::size_t>(launch_.outputs[i].region)];
    view.bytes = static_cast<std::int64_t>(tensor->bytes().size());
    const Status read = device_.read(view, tensor->mutable_bytes().data());
    if (!read) return read.error();
    return tensor;
  }

  Result<std::vector<Tensor>> collect(int output_count) {
    const auto count = static_cast<std::size_t>(output_count);
    std::vector<Tensor> tensors;
    for (std::size_t i = 0; i < count; ++i) {
      Shape shape = outputs_[i].type.shape;
      if (outputs_.size() > count) {
        Result<Tensor> dims = read_output(count + i, outputs_[count + i].type.shape);
        if (!dims) return dims.error();
        shape = Shape(std::span(dims->data<std::int64_t>(), static_cast<std::size_t>(shape.rank())));
      }
      Result<Tensor> tensor = read_output(i, shape);
      if (!tensor) return tensor.error();
      tensors.push_back(tensor.take());
    }
    return tensors;
  }

  Device& device_;
  NodeDesc node_;
  std::vector<OperandDesc> inputs_;
  std::vector<OperandDesc> outputs_;
  std::vector<const Tensor*> values_;
  LaunchDesc launch_;
  std::vector<std::unique_ptr<Buffer>> buffers_;
  std::vector<BufferView> views_;
};

}  // namespace

Result<std::vector<Tensor>> run_on_device(Device& device, const OpDef& op, const Attrs& attrs,
                                          std::span<const Constant* const> inputs,
                                          int output_count) {
  return NodeRunner(device, op, attrs).run(inputs, output_count);
}

}  // namespace polaris::test
