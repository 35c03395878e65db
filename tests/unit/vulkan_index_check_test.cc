#include "backend/vulkan/parts/index_check.h"

#include <doctest/doctest.h>

#include <cstdint>
#include <vector>

#include "ir/op_attrs/gather.h"
#include "support/node_run.h"

using namespace polaris;
using namespace polaris::vulkan;

TEST_CASE("vulkan: indices of a dim that int32 cannot address are refused, not misjudged") {
  const GatherAttrs attrs;
  const TensorType data{DType::kI8, Shape{8}, {}};
  const TensorType indices{DType::kI64, Shape{5}, {}};
  const OperandDesc inputs[] = {{data, Layout::kRowMajor, nullptr, true},
                                {indices, Layout::kRowMajor, nullptr, true}};
  const OperandDesc outputs[] = {{data, Layout::kRowMajor, nullptr, true}};
  const Tensor* const values[] = {nullptr, nullptr};
  const NodeDesc node{&test::find_op("Gather"), &attrs, "g", inputs, outputs, values};
  for (const bool tuples : {false, true}) {
    for (const std::int64_t size : {std::int64_t{INT32_MAX}, std::int64_t{1} << 31}) {
      CAPTURE(tuples);
      CAPTURE(size);
      VulkanKernel kernel("k");
      const std::vector<std::int64_t> sizes(tuples ? 2 : 1, size);
      const Status status = add_index_check(kernel, VulkanTarget(), node, 1, sizes);
      CHECK(status.ok() == (size <= INT32_MAX));
      CHECK(kernel.dispatches.size() == (status ? 1 : 0));
      if (!status) CHECK(status.error().code() == ErrorCode::kUnsupported);
    }
  }
}
