#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backend/cpu/cpu_device.h"
#include "ir/op_set.h"
#include "tensor/tensor.h"

namespace polaris::test {

/// One node run on the cpu device at every instruction set of this machine and compared with the
/// op's definition. Inputs are given as tensors; a null one is absent.
struct CpuCase {
  std::string op;
  std::string domain;
  std::shared_ptr<Attrs> attrs;  // null: the op's defaults
  std::vector<Tensor> inputs;
  std::vector<int> constants;  // inputs offered as constants (weights, shapes)
  int outputs = 1;
  double rtol = 1e-3;
  double atol = 1e-5;
};

/// Instruction sets that this machine has, "sse2" first.
std::vector<std::string> isas_here();
std::unique_ptr<Device> cpu_device(const std::string& isa, int threads = 2);

/// Outputs by the op's reference. Fails the test on an error.
std::vector<Tensor> reference_outputs(const CpuCase& c);
/// Outputs by the cpu device; the kernel's name is written to `kernel` where it is not null. Checks
/// guard zones around every operand.
std::vector<Tensor> device_outputs(Device& device, const CpuCase& c, std::string* kernel = nullptr);
/// Both, at every instruction set, compared; also checks that the kernel's name starts with
/// `kernel`.
void check_cpu(const CpuCase& c, std::string_view kernel);
/// Largest difference relative to rtol/atol is at most 1; integers are equal.
void check_close(const Tensor& got, const Tensor& wanted, double rtol, double atol);

/// Reproducible values: floats in [-range, range], integers over their type or [-range, range].
Tensor random_tensor(DType dtype, const Shape& shape, std::uint32_t seed, double range = 2.0);
Tensor ints_i64(std::vector<std::int64_t> values);
/// float32 [rows, columns] encoded.
Tensor encode_tensor(const Tensor& plain, BlockFormat format);

}  // namespace polaris::test
