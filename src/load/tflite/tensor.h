#pragma once
#include <memory>

#include "ir/constant.h"
#include "load/tflite/importer.h"

namespace polaris::tflite {

/// The declared type at the sizes of `shape`. Errors, without a prefix: unsupported for types and
/// ranks that we do not have; invalid where a size is negative or the product leaves int64.
Result<TensorType> static_type(const TensorDef& tensor);

/// Whether the file holds the tensor's value.
bool is_constant(const TensorDef& tensor, const ModelDef& model);

/// The value, made dense where it is sparse. Errors: as static_type; invalid where the buffer's
/// length is not the type's.
Result<std::shared_ptr<const Constant>> make_constant(const TensorDef& tensor, FileContext& file);

/// Integers of `tensor` as real numbers, its scales along `axis` of `value`. Errors: of the
/// builder.
ValueId dequantize(SubgraphImporter& importer, ValueId value, const TensorDef& tensor,
                   std::int64_t axis);
/// Real numbers as integers of `tensor`, which has one scale.
ValueId quantize(SubgraphImporter& importer, ValueId value, const TensorDef& tensor);

/// Values of a sparse tensor at their places; others are zero.
Result<Tensor> make_dense(const TensorType& type, const SparsityDef& sparsity,
                          std::span<const std::byte> values);

}  // namespace polaris::tflite
