#include "backend/limit_ops.h"

#include "base/bytes.h"

namespace polaris {
namespace {

constexpr Port kOne[] = {{"x"}};
constexpr Port kOut[] = {{"y"}};

Status infer_counted(InferContext& c) {
  const std::int64_t count = c.as<LimitAttrs>().count;
  if (count < 1 || count % kLimitUnit != 0) return c.fail("count is no multiple of the unit");
  c.out(0) = {DType::kF32, {count}, {}};
  return Status::success();
}

Status infer_copy(InferContext& c) {
  c.out(0) = c.in(0);
  return Status::success();
}

Status infer_read(InferContext& c) {
  c.out(0) = {DType::kF32, {c.in(0).shape[0] / kLimitReadPart}, {}};
  return Status::success();
}

float* floats(const RefTensor& tensor) { return reinterpret_cast<float*>(tensor.data); }

Status fill(RefContext& c) {
  float* y = floats(c.out(0));
  for (std::int64_t i = 0; i < c.out(0).type.shape[0]; ++i) y[i] = 1.0f;
  return Status::success();
}

Status copy(RefContext& c) {
  const auto count = static_cast<std::size_t>(c.in(0).type.shape[0]);
  copy_bytes(c.out(0).data, c.in(0).data, count * sizeof(float));
  return Status::success();
}

// Which 64 elements a kernel brings together is its own affair: all are 1.
Status read(RefContext& c) {
  const float* x = floats(c.in(0));
  float* y = floats(c.out(0));
  for (std::int64_t i = 0; i < c.out(0).type.shape[0]; ++i) {
    float sum = 0;
    for (std::int64_t k = 0; k < kLimitReadPart; ++k) sum += x[i * kLimitReadPart + k];
    y[i] = sum;
  }
  return Status::success();
}

Status fma(RefContext& c) {
  float* y = floats(c.out(0));
  const std::int64_t rounds = c.as<LimitAttrs>().rounds;
  for (std::int64_t i = 0; i < c.out(0).type.shape[0]; ++i) {
    float sum = 0;
    for (int k = 0; k < kLimitChains; ++k) {
      float a = static_cast<float>(k);
      for (std::int64_t r = 0; r < rounds; ++r) a = a * kLimitFactor + kLimitAddend;
      sum += a;
    }
    y[i] = sum;
  }
  return Status::success();
}

}  // namespace

constinit const OpDef op_limit_fill{.name = "Fill",
                                    .domain = "limit",
                                    .doc = "Writes memory.",
                                    .outputs = kOut,
                                    .make_attrs = make_attrs<LimitAttrs>,
                                    .infer = infer_counted,
                                    .reference = fill};
constinit const OpDef op_limit_copy{.name = "Copy",
                                    .domain = "limit",
                                    .doc = "Reads and writes memory.",
                                    .inputs = kOne,
                                    .outputs = kOut,
                                    .infer = infer_copy,
                                    .reference = copy};
constinit const OpDef op_limit_read{.name = "Read",
                                    .domain = "limit",
                                    .doc = "Reads memory.",
                                    .inputs = kOne,
                                    .outputs = kOut,
                                    .infer = infer_read,
                                    .reference = read};
constinit const OpDef op_limit_fma{.name = "Fma",
                                   .domain = "limit",
                                   .doc = "Multiplies and adds in registers.",
                                   .outputs = kOut,
                                   .make_attrs = make_attrs<LimitAttrs>,
                                   .infer = infer_counted,
                                   .reference = fma};

}  // namespace polaris
