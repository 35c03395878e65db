#pragma once
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "ir/constant.h"
#include "load/source.h"

namespace polaris {

/// A constant over bytes of a mapped file, copied where a pointer to the type could not point there
/// or the bytes are not as a Tensor has them. `bytes` must be the type's. Errors: out_of_memory.
Result<std::shared_ptr<const Constant>> file_constant(std::string name, const TensorType& type,
                                                      std::span<const std::byte> bytes,
                                                      const SourceFile& file);

}  // namespace polaris
