#pragma once
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "ir/op_def.h"

/// Runs one node on its reference and on a device, for kernel tests.
namespace polaris::test {

struct NodeCase {
  const OpDef* op = nullptr;
  std::shared_ptr<Attrs> attrs;
  std::vector<Tensor> inputs;   // null: absent
  std::uint64_t constants = 0;  // bit i: input i is a constant, to be packed
  int outputs = 1;
};

/// The built-in op; fails the test where there is none.
const OpDef& find_op(std::string_view name, std::string_view domain = "");
Result<std::vector<Tensor>> run_reference(const NodeCase& node);
/// With guard bytes around every operand; an error too where one was overwritten. Runs what was
/// compiled `runs` times; outputs that share no input's bytes and workspace are wiped in between.
Result<std::vector<Tensor>> run_device(Device& device, const NodeCase& node, int runs = 1);

/// The device of test_vulkan_id(), made once, or null (and the test case skipped or failed).
Device* software_vulkan();

/// Checks device against reference: floats within the project's tolerance times `slack`, the rest
/// bit for bit.
void check_node(Device& device, const NodeCase& node, double slack = 1);

using Random = std::mt19937;
/// Plain floats (f32 or f16), uniform in [low, high).
Tensor random_floats(Random& random, DType dtype, const Shape& shape, float low = -1,
                     float high = 1);
/// Integers in [low, high] of any integer type.
Tensor random_ints(Random& random, DType dtype, const Shape& shape, std::int64_t low,
                   std::int64_t high);
/// Random floats in a block format.
Tensor random_blocks(Random& random, BlockFormat format, const Shape& shape);
Tensor of_ints(DType dtype, const Shape& shape, const std::vector<std::int64_t>& values);

}  // namespace polaris::test
