#pragma once
#include <memory>
#include <optional>

#include "base/result.h"
#include "ir/constant.h"
#include "load/onnx/proto.h"
#include "load/source.h"

namespace polaris::onnx {

/// Our dtype for an ONNX data type number, or nothing for strings and complex types.
std::optional<DType> dtype_of(DataType type);
/// The number of a dtype of ours; every one has one.
DataType data_type_of(DType dtype);
/// "FLOAT8E4M3FN" ... or the number, for messages.
std::string data_type_name(DataType type);

/// The bytes of a TensorProto as a constant: raw and external data view the file where their
/// address suits the type, everything else is copied. Errors: unsupported (type, segments),
/// invalid (lengths, offsets), and Source::file's.
Result<std::shared_ptr<const Constant>> make_constant(const TensorDef& def, Source& source);

}  // namespace polaris::onnx
