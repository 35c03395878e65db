#include "session/stage_key.h"

namespace polaris {
namespace {

template <class T>
void put(std::string& key, const T& value) {
  key.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_type(std::string& key, const TensorType& type) {
  key.push_back(static_cast<char>(type.dtype));
  key.push_back(static_cast<char>(type.shape.rank()));
  key.push_back(static_cast<char>(type.encoding.kind));
  key.push_back(static_cast<char>(type.encoding.format));
  for (std::int64_t dim : type.shape) put(key, dim);
}

}  // namespace

std::string stage_key(const Graph& graph, std::size_t begin, std::span<const LiveIn> live,
                      std::span<const TensorType> states, const ValueFlags* device_outputs) {
  std::string key;
  key.reserve(64 + live.size() * 48 + states.size() * 40);
  const Graph* address = &graph;
  put(key, address);
  put(key, begin);
  for (const TensorType& type : states) put_type(key, type);
  for (std::size_t o = 0; device_outputs != nullptr && o < graph.outputs().size(); ++o) {
    key.push_back((*device_outputs)[graph.outputs()[o]] ? 1 : 0);
  }
  for (const LiveIn& value : live) {
    put(key, value.value.index);
    put(key, value.device);
    put_type(key, value.type);
    const auto bytes = value.known.bytes();
    put(key, bytes.size());
    key.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  return key;
}

}  // namespace polaris
