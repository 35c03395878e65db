#include "load/file_constant.h"

#include <cstdint>
#include <utility>

#include "tensor/element.h"

namespace polaris {

Result<std::shared_ptr<const Constant>> file_constant(std::string name, const TensorType& type,
                                                      std::span<const std::byte> bytes,
                                                      const SourceFile& file) {
  auto out = std::make_shared<Constant>();
  out->name = std::move(name);
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.data());
  const bool aligned = address % static_cast<std::uintptr_t>(width_of(type.dtype).raw()) == 0;
  const bool as_it_is = type.dtype != DType::kBool &&
                        has_clear_padding(type.dtype, bytes.data(), type.shape.elements());
  if (aligned && !bytes.empty() && as_it_is) {
    out->data = Tensor::view(type, bytes, file.owner);
    out->file = file.mapping;
    return std::shared_ptr<const Constant>(std::move(out));
  }
  auto copy = Tensor::from_bytes(type, bytes);
  if (!copy) return copy.error();
  if (type.dtype == DType::kBool) {
    for (std::byte& b : copy->mutable_bytes()) b = std::byte{b != std::byte{0}};
  }
  out->data = copy.take();
  if (file.mapping) file.mapping->release_pages(bytes);
  return std::shared_ptr<const Constant>(std::move(out));
}

}  // namespace polaris
