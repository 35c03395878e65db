#include "load/content.h"

namespace polaris {
namespace {

using std::string_view_literals::operator""sv;

struct Magic {
  std::size_t offset;
  std::string_view bytes;
  std::string_view what;
};
constexpr Magic kMagics[] = {
    {0, "\x1F\x8B"sv, "is a gzip archive"},
    {0, "PK\x03\x04"sv, "is a zip archive"},
    {0, "PK\x05\x06"sv, "is an empty zip archive"},
    {0,
     "\xFD"
     "7zXZ\0"sv,
     "is an xz archive"},
    {0, "\x28\xB5\x2F\xFD"sv, "is a zstd archive"},
    {0, "BZh"sv, "is a bzip2 archive"},
    {0, "7z\xBC\xAF\x27\x1C"sv, "is a 7z archive"},
    {257, "ustar"sv, "is a tar archive"},
    {0, "version https://git-lfs"sv, "is a pointer of git-lfs, not the file itself"},
    {0, "\x89HDF\r\n"sv, "is an HDF5 file"},
    {4, "TFL3"sv, "is a TensorFlow Lite model"},
    {0, "\x93NUMPY"sv, "is a NumPy array"},
    {0, "\x80\x02"sv, "is a Python pickle"},
    {0, "\x80\x04"sv, "is a Python pickle"},
    {8, "{\""sv, "looks like safetensors"},
    {0, "<"sv, "is an HTML or XML text"},
};

std::string_view as_text(std::span<const std::byte> file) {
  return {reinterpret_cast<const char*>(file.data()), file.size()};
}

}  // namespace

std::string_view describe_content(std::span<const std::byte> file) {
  std::string_view text = as_text(file);
  if (text.empty()) return "is empty";
  for (const Magic& magic : kMagics) {
    if (text.size() > magic.offset && text.substr(magic.offset).starts_with(magic.bytes)) {
      return magic.what;
    }
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != text.npos && (text[first] == '{' || text[first] == '[')) return "is a JSON text";
  return {};
}

}  // namespace polaris
