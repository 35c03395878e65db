#include "backend/vulkan/device/cache_file.h"

#include <cstdint>
#include <cstring>

#include "backend/vulkan/shader_blobs.h"
#include "base/hash.h"
#include "base/os/files.h"

namespace polaris::vulkan {
namespace {

constexpr std::int64_t kFileBytesMax = std::int64_t{256} << 20;

struct Header {
  char magic[8] = {'P', 'O', 'L', 'P', 'I', 'P', 'E', '1'};
  std::uint32_t vendor_id = 0;
  std::uint32_t device_id = 0;
  std::uint32_t driver_version = 0;
  std::uint32_t reserved = 0;
  std::uint8_t uuid[VK_UUID_SIZE] = {};
  std::uint64_t shaders = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t payload_hash[2] = {};
};
static_assert(sizeof(Header) == 72);

Header header_of(const PhysicalDevice& physical, std::string_view payload) {
  Header header;
  header.vendor_id = physical.vendor_id;
  header.device_id = physical.device_id;
  header.driver_version = physical.driver_version;
  std::memcpy(header.uuid, physical.uuid, VK_UUID_SIZE);
  header.shaders = shader_set_hash();
  header.payload_bytes = payload.size();
  const Hash128 hash = hash_bytes(std::as_bytes(std::span(payload)));
  header.payload_hash[0] = hash.low;
  header.payload_hash[1] = hash.high;
  return header;
}

}  // namespace

std::string load_cache_file(const std::string& path, const PhysicalDevice& physical) {
  Result<std::string> file = read_file(path, kFileBytesMax);
  if (!file || file->size() < sizeof(Header)) return {};
  const std::string payload = file->substr(sizeof(Header));
  const Header wanted = header_of(physical, payload);
  if (std::memcmp(file->data(), &wanted, sizeof wanted) != 0) return {};
  return payload;
}

void save_cache_file(const std::string& path, const PhysicalDevice& physical,
                     std::string_view payload) {
  const Header header = header_of(physical, payload);
  std::string file(reinterpret_cast<const char*>(&header), sizeof header);
  file += payload;
  if (make_folder(path_folder(path))) (void)write_file(path, file).ok();
}

}  // namespace polaris::vulkan
