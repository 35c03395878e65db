#include "load/gguf/gguf_file.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <set>
#include <string_view>

#include "base/checked.h"
#include "base/strings.h"

namespace polaris::gguf {
namespace {

constexpr std::string_view kMagic = "GGUF";
constexpr std::uint64_t kKeyBytesMax = 65535;  // the format's own limit
constexpr std::uint64_t kNameBytesMax = 1024;
constexpr std::uint32_t kDimsMax = 4;  // ggml's
constexpr std::uint64_t kAlignmentMax = 1 << 20;
// Metadata lives in memory, several times its size in the file: bound all of a file's values.
constexpr std::uint64_t kArrayElementsMax = std::uint64_t{1} << 24;

enum class Kind : std::uint32_t {
  kU8,
  kI8,
  kU16,
  kI16,
  kU32,
  kI32,
  kF32,
  kBool,
  kString,
  kArray,
  kU64,
  kI64,
  kF64,
};

Error bad(const std::string& what) { return Error::invalid("[gguf] " + what); }

std::string quoted(std::string_view name) { return "'" + printable(name) + "'"; }

// A cursor that never leaves the file; after the first failure it only returns zeros.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  template <class T>
  T number() {
    T value{};
    if (bytes_.size() - at_ < sizeof(T)) {
      cut_ = true;
      return value;
    }
    std::memcpy(&value, bytes_.data() + at_, sizeof(T));
    at_ += sizeof(T);
    return value;
  }

  std::string_view text(std::uint64_t bytes_max) {
    const auto length = number<std::uint64_t>();
    if (cut_ || length > bytes_max || length > remaining()) {
      cut_ = true;
      return {};
    }
    const auto size = static_cast<std::size_t>(length);
    const std::string_view out(reinterpret_cast<const char*>(bytes_.data() + at_), size);
    at_ += size;
    return out;
  }

  bool cut() const { return cut_; }
  std::size_t at() const { return at_; }
  std::uint64_t remaining() const { return bytes_.size() - at_; }

 private:
  std::span<const std::byte> bytes_;
  std::size_t at_ = 0;
  bool cut_ = false;
};

class Parser {
 public:
  explicit Parser(std::span<const std::byte> file) : file_(file), in_(file) {}

  Result<GgufFile> parse() {
    if (Status s = header(); !s) return s.error();
    for (std::uint64_t i = 0; i < metadata_count_; ++i) {
      if (Status s = entry(); !s) return s.error();
    }
    if (Status s = alignment(); !s) return s.error();
    for (std::uint64_t i = 0; i < tensor_count_; ++i) {
      if (Status s = tensor(); !s) return s.error();
    }
    if (Status s = place_tensors(); !s) return s.error();
    return std::move(out_);
  }

 private:
  Status header() {
    if (!is_gguf(file_)) return bad("file does not begin with 'GGUF'");
    in_.number<std::uint32_t>();
    out_.version = in_.number<std::uint32_t>();
    if ((out_.version & 0xFFFFu) == 0 && out_.version != 0) {
      return Error::unsupported("[gguf] big-endian files cannot be read");
    }
    if (out_.version < 2 || out_.version > 3) {
      return Error::unsupported("[gguf] version, got " + std::to_string(out_.version) +
                                ", wanted 2 or 3");
    }
    tensor_count_ = in_.number<std::uint64_t>();
    metadata_count_ = in_.number<std::uint64_t>();
    if (in_.cut()) return bad("file is cut in its header");
    // The least that a key with a one-byte value, and a tensor of no dims, take in the file.
    if (metadata_count_ > in_.remaining() / 13 || tensor_count_ > in_.remaining() / 24) {
      return bad("counts, got " + std::to_string(metadata_count_) + " keys and " +
                 std::to_string(tensor_count_) + " tensors, more than the file can hold");
    }
    return Status::success();
  }

  Status entry() {
    const std::string_view key = in_.text(kKeyBytesMax);
    const std::size_t begin = in_.at();
    const auto kind = in_.number<std::uint32_t>();
    if (in_.cut()) return bad("file is cut, or a key too long, in its metadata");
    auto value = kind == static_cast<std::uint32_t>(Kind::kArray) ? array(key) : scalar(key, kind);
    if (!value) return value.error();
    // Files with a key written twice are about; they mean something only where both say the same.
    const auto at = out_.metadata.find(key);
    if (at == out_.metadata.end()) {
      out_.metadata.emplace(key, value.take());
      out_.entries.push_back({key, file_.subspan(begin, in_.at() - begin)});
    } else if (at->second != *value) {
      return bad("key " + quoted(key) + " appears twice with different values");
    }
    return Status::success();
  }

  Result<MetadataValue> scalar(std::string_view key, std::uint32_t kind) {
    MetadataValue value;
    switch (static_cast<Kind>(kind)) {
      case Kind::kString: value = std::string(in_.text(UINT64_MAX)); break;
      case Kind::kBool: value = in_.number<std::uint8_t>() != 0; break;
      case Kind::kF32: value = static_cast<double>(in_.number<float>()); break;
      case Kind::kF64: value = in_.number<double>(); break;
      default: {
        if (integer_bytes(kind) == 0) return bad_kind(key, kind);
        value = integer(kind);
      }
    }
    if (in_.cut()) return bad("file is cut in the value of " + quoted(key));
    return value;
  }

  Result<MetadataValue> array(std::string_view key) {
    const auto kind = in_.number<std::uint32_t>();
    const auto count = in_.number<std::uint64_t>();
    if (in_.cut()) return bad("file is cut in the value of " + quoted(key));
    if (kind == static_cast<std::uint32_t>(Kind::kArray)) {
      return Error::unsupported("[gguf] key " + quoted(key) + " is an array of arrays");
    }
    const std::uint64_t bytes = element_bytes(kind);
    if (bytes == 0) return bad_kind(key, kind);
    elements_ += std::min(count, kArrayElementsMax + 1);
    if (count > in_.remaining() / bytes || elements_ > kArrayElementsMax) {
      return bad("array " + quoted(key) + ", got " + std::to_string(count) +
                 " elements, more than fit");
    }
    MetadataValue value = elements(kind, static_cast<std::size_t>(count));
    if (in_.cut()) return bad("file is cut in the value of " + quoted(key));
    return value;
  }

  MetadataValue elements(std::uint32_t kind, std::size_t count) {
    if (kind == static_cast<std::uint32_t>(Kind::kString)) {
      std::vector<std::string> out;
      // A hostile count is bounded by the file, but its strings need not all be there.
      for (std::size_t i = 0; i < count && !in_.cut(); ++i) out.emplace_back(in_.text(UINT64_MAX));
      return out;
    }
    if (kind == static_cast<std::uint32_t>(Kind::kF32) ||
        kind == static_cast<std::uint32_t>(Kind::kF64)) {
      std::vector<double> out(count);
      for (double& v : out) {
        v = kind == static_cast<std::uint32_t>(Kind::kF32)
                ? static_cast<double>(in_.number<float>())
                : in_.number<double>();
      }
      return out;
    }
    std::vector<std::int64_t> out(count);
    for (std::int64_t& v : out) v = integer(kind);
    return out;
  }

  std::int64_t integer(std::uint32_t kind) {
    switch (static_cast<Kind>(kind)) {
      case Kind::kU8: return in_.number<std::uint8_t>();
      case Kind::kI8: return in_.number<std::int8_t>();
      case Kind::kU16: return in_.number<std::uint16_t>();
      case Kind::kI16: return in_.number<std::int16_t>();
      case Kind::kU32: return in_.number<std::uint32_t>();
      case Kind::kI32: return in_.number<std::int32_t>();
      case Kind::kBool: return in_.number<std::uint8_t>() != 0 ? 1 : 0;
      // Values from 2^63 up come out negative; no known key has such.
      case Kind::kU64: return static_cast<std::int64_t>(in_.number<std::uint64_t>());
      case Kind::kI64: return in_.number<std::int64_t>();
      default: return 0;
    }
  }

  static std::uint64_t integer_bytes(std::uint32_t kind) {
    switch (static_cast<Kind>(kind)) {
      case Kind::kU8:
      case Kind::kI8:
      case Kind::kBool: return 1;
      case Kind::kU16:
      case Kind::kI16: return 2;
      case Kind::kU32:
      case Kind::kI32: return 4;
      case Kind::kU64:
      case Kind::kI64: return 8;
      default: return 0;
    }
  }
  // The least an element takes; 0 for an unknown kind.
  static std::uint64_t element_bytes(std::uint32_t kind) {
    if (kind == static_cast<std::uint32_t>(Kind::kF32)) return 4;
    if (kind == static_cast<std::uint32_t>(Kind::kF64)) return 8;
    if (kind == static_cast<std::uint32_t>(Kind::kString)) return 8;
    return integer_bytes(kind);
  }

  static Error bad_kind(std::string_view key, std::uint32_t kind) {
    return bad("type of the value of " + quoted(key) + ", got " + std::to_string(kind) +
               ", wanted 0 to 12");
  }

  Status alignment() {
    const auto at = out_.metadata.find("general.alignment");
    if (at == out_.metadata.end()) return Status::success();
    const auto* value = std::get_if<std::int64_t>(&at->second);
    if (value == nullptr || *value < 8 || *value > static_cast<std::int64_t>(kAlignmentMax) ||
        !std::has_single_bit(static_cast<std::uint64_t>(*value))) {
      return bad("general.alignment, wanted a power of two from 8 to " +
                 std::to_string(kAlignmentMax));
    }
    out_.alignment = *value;
    return Status::success();
  }

  Status tensor() {
    TensorInfo info;
    info.name = in_.text(kNameBytesMax);
    const auto dims = in_.number<std::uint32_t>();
    if (in_.cut()) return bad("file is cut, or a name too long, in its tensor list");
    const std::string tensor_name = "tensor " + quoted(info.name);
    if (dims > kDimsMax) {
      return bad(tensor_name + " dims, got " + std::to_string(dims) + ", wanted at most 4");
    }
    Shape reversed;
    for (std::uint32_t i = 0; i < dims; ++i) {
      const auto dim = checked_cast<std::int64_t>(in_.number<std::uint64_t>());
      if (!dim) return bad(tensor_name + " has a dim that is no size");
      reversed.push_back(*dim);
    }
    for (int i = reversed.rank() - 1; i >= 0; --i) info.shape.push_back(reversed[i]);
    const auto type_id = in_.number<std::uint32_t>();
    offsets_.push_back(in_.number<std::uint64_t>());
    if (in_.cut()) return bad("file is cut in its tensor list");
    info.type = find_ggml_type(type_id);
    if (info.type == nullptr) {
      return Error::unsupported("[gguf] " + tensor_name + " type, got " + std::to_string(type_id) +
                                ", wanted one of ggml's");
    }
    if (!names_.insert(info.name).second) return bad(tensor_name + " appears twice");
    out_.tensors.push_back(std::move(info));
    return Status::success();
  }

  // Offsets count from the first aligned byte after the tensor list.
  Status place_tensors() {
    if (out_.tensors.empty()) return Status::success();
    const auto start =
        static_cast<std::uint64_t>(round_up(static_cast<std::int64_t>(in_.at()), out_.alignment));
    for (std::size_t i = 0; i < out_.tensors.size(); ++i) {
      TensorInfo& info = out_.tensors[i];
      const std::uint64_t offset = offsets_[i];
      const auto bytes = stored_bytes(*info.type, info.shape);
      if (!bytes) {
        return bad("tensor " + quoted(info.name) + " shape, got " + info.shape.to_string() +
                   ", wanted rows of whole " + std::string(info.type->name) + " blocks");
      }
      if (offset % static_cast<std::uint64_t>(out_.alignment) != 0) {
        return bad("tensor " + quoted(info.name) + " offset, got " + std::to_string(offset) +
                   ", wanted a multiple of " + std::to_string(out_.alignment));
      }
      const std::uint64_t room = start <= file_.size() ? file_.size() - start : 0;
      if (offset > room || static_cast<std::uint64_t>(*bytes) > room - offset) {
        return bad("tensor " + quoted(info.name) + " of " + std::to_string(*bytes) + " bytes at " +
                   std::to_string(offset) + " leads past the end of the file");
      }
      info.bytes =
          file_.subspan(static_cast<std::size_t>(start + offset), static_cast<std::size_t>(*bytes));
    }
    return check_apart();
  }

  /// A tensor that begins within another is no file's that anything sound has written.
  Status check_apart() const {
    std::vector<const TensorInfo*> order;
    for (const TensorInfo& info : out_.tensors) {
      if (!info.bytes.empty()) order.push_back(&info);
    }
    std::sort(order.begin(), order.end(), [](const TensorInfo* a, const TensorInfo* b) {
      return a->bytes.data() < b->bytes.data();
    });
    const auto at = std::adjacent_find(order.begin(), order.end(),
                                       [](const TensorInfo* a, const TensorInfo* b) {
                                         return b->bytes.data() < a->bytes.data() + a->bytes.size();
                                       });
    if (at == order.end()) return Status::success();
    return bad("tensor " + quoted(at[1]->name) + " begins within the bytes of " +
               quoted(at[0]->name) + ", wanted tensors that do not overlap");
  }

  std::span<const std::byte> file_;
  Cursor in_;
  GgufFile out_;
  std::uint64_t tensor_count_ = 0;
  std::uint64_t metadata_count_ = 0;
  std::uint64_t elements_ = 0;
  std::vector<std::uint64_t> offsets_;
  std::set<std::string, std::less<>> names_;
};

}  // namespace

bool is_gguf(std::span<const std::byte> file) {
  return file.size() >= kMagic.size() && std::memcmp(file.data(), kMagic.data(), 4) == 0;
}

Result<GgufFile> parse_gguf(std::span<const std::byte> file) { return Parser(file).parse(); }

}  // namespace polaris::gguf
