#include "wire/npy.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/bytes.h"
#include "base/checked.h"
#include "base/os/files.h"
#include "base/os/mapped_file.h"
#include "base/os/mapping_guard.h"
#include "base/strings.h"
#include "tensor/element.h"
#include "wire/npy_strings.h"

namespace polaris {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kHeaderBytesMax = 1 << 16;

struct Header {
  DType dtype = DType::kF32;
  bool nameless = false;  // bytes that stand for elements of a small dtype
  std::optional<NpyStrings> strings;
  bool big_endian = false;
  bool fortran_order = false;
  Shape shape;
};

struct Code {
  std::string_view code;
  DType dtype;
};
constexpr Code kCodes[] = {
    {"f4", DType::kF32},  {"f2", DType::kF16}, {"V2", DType::kBF16}, {"f8", DType::kF64},
    {"i1", DType::kI8},   {"u1", DType::kU8},  {"i2", DType::kI16},  {"u2", DType::kU16},
    {"i4", DType::kI32},  {"u4", DType::kU32}, {"i8", DType::kI64},  {"u8", DType::kU64},
    {"b1", DType::kBool},
};

Error bad(std::string_view what) { return Error::invalid("[npy] " + std::string(what)); }

// The header is a Python dict literal of three known keys; nothing else of Python is read.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  Result<Header> parse() {
    if (!take('{')) return bad("header is no dict");
    while (!take('}')) {
      const auto key = quoted();
      if (!key || !take(':')) return bad("header is no dict of names");
      if (Status status = entry(*key); !status) return status.error();
      if (!take(',') && peek() != '}') return bad("header lacks a comma");
    }
    if (!has_descr_ || !has_order_ || !has_shape_) {
      return bad("header lacks descr, fortran_order or shape");
    }
    return header_;
  }

 private:
  Status entry(std::string_view key) {
    if (key == "descr") return descr();
    if (key == "fortran_order") return order();
    if (key == "shape") return shape();
    return bad("header has an unknown key '" + printable(key) + "'");
  }

  Status descr() {
    const auto text = quoted();
    if (!text && peek() == '[') {
      return Error::unsupported("[npy] structured elements cannot be read");
    }
    if (!text) return bad("descr is no text");
    has_descr_ = true;
    const char order = text->empty() ? '?' : text->front();
    std::string_view code = order == '?' ? *text : text->substr(1);
    const char kind = code.empty() ? '?' : code.front();
    if (order != '?' && (kind == 'U' || kind == 'S' || kind == 'O')) {
      const auto length = kind == 'O' ? std::optional<std::int64_t>(0) : parse_i64(code.substr(1));
      if (!length || *length < 0 || (kind == 'O' && code.size() > 1))
        return bad("descr is no type");
      header_.strings = NpyStrings{kind, *length, order == '>'};
      header_.dtype = DType::kString;
      return Status::success();
    }
    // As ml_dtypes writes small elements, float8_e5m2 the second way.
    header_.nameless = code == "V1" || code == "f1";
    if (header_.nameless) code = "u1";
    const auto* row = std::find_if(std::begin(kCodes), std::end(kCodes),
                                   [&](const Code& c) { return c.code == code; });
    if (row == std::end(kCodes) || std::string_view("<>|=").find(order) == std::string_view::npos) {
      return Error::unsupported("[npy] element type, got '" + printable(*text) +
                                "', wanted a float, integer, bool or string");
    }
    header_.dtype = row->dtype;
    header_.big_endian = order == '>';
    return Status::success();
  }

  Status order() {
    has_order_ = true;
    header_.fortran_order = word("True");
    if (!header_.fortran_order && !word("False")) return bad("fortran_order is no bool");
    return Status::success();
  }

  Status shape() {
    has_shape_ = true;
    if (!take('(')) return bad("shape is no tuple");
    while (!take(')')) {
      blanks();
      const std::size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
      const auto dim = parse_i64(rest_.substr(0, digits));
      if (!dim) return bad("shape holds no size");
      rest_.remove_prefix(digits);
      take('L');  // Python 2 wrote long integers so
      if (!header_.shape.push_back(*dim)) {
        return bad("shape has more than " + std::to_string(kMaxRank) + " dims");
      }
      if (!take(',') && peek() != ')') return bad("shape lacks a comma");
    }
    return Status::success();
  }

  void blanks() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  char peek() {
    blanks();
    return rest_.empty() ? '\0' : rest_.front();
  }
  bool take(char c) {
    if (peek() != c || rest_.empty()) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool word(std::string_view text) {
    blanks();
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  std::optional<std::string_view> quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') return std::nullopt;
    const std::size_t end = rest_.find(quote, 1);
    if (end == rest_.npos) return std::nullopt;
    const std::string_view text = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return text;
  }

  std::string_view rest_;
  Header header_;
  bool has_descr_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

void swap_bytes(std::span<std::byte> bytes, std::int64_t width) {
  for (auto at = bytes.begin(); at != bytes.end(); at += width) std::reverse(at, at + width);
}

// Fortran order is the row-major order of the reversed dims: walk the target, step the source.
void copy_fortran(const Shape& shape, ElementWidth width, const std::byte* from, std::byte* to) {
  const int rank = shape.rank();
  std::int64_t strides[kMaxRank] = {};
  std::int64_t step = width.of(1);
  for (int i = 0; i < rank; ++i) {
    strides[i] = step;
    step *= shape[i];
  }
  std::int64_t index[kMaxRank] = {};
  const std::int64_t count = shape.elements();
  for (std::int64_t e = 0; e < count; ++e) {
    copy_bytes(to + width.of(e), from, static_cast<std::size_t>(width.raw()));
    for (int i = rank - 1; i >= 0; --i) {
      from += strides[i];
      if (++index[i] < shape[i]) break;
      from -= strides[i] * shape[i];
      index[i] = 0;
    }
  }
}

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Splits the file into header text and data.
Result<std::string_view> header_text(std::span<const std::byte>& file) {
  if (!text_of(file).starts_with(kMagic) || file.size() < 10)
    return bad("file does not begin as one");
  const int version = std::to_integer<int>(file[6]);
  if (version < 1 || version > 3)
    return bad("version, got " + std::to_string(version) + ", wanted 1 to 3");
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  if (file.size() < 8 + length_bytes) return bad("file is cut in its header");
  std::uint32_t length = 0;
  copy_bytes(&length, file.data() + 8, length_bytes);
  if (length > kHeaderBytesMax || length > file.size() - 8 - length_bytes) {
    return bad("header of " + std::to_string(length) + " bytes leads past the end");
  }
  const std::string_view text = text_of(file.subspan(8 + length_bytes, length));
  file = file.subspan(8 + length_bytes + length);
  return text;
}

/// One element a byte, its bits low; those above may repeat a sign.
Result<Tensor> to_small(const Tensor& bytes, DType dtype) {
  auto out = Tensor::allocate(dtype, bytes.shape());
  if (!out) return out.error();
  const int bits = dtype_info(dtype).bits;
  for (std::int64_t i = 0, n = bytes.elements(); i < n; ++i) {
    const unsigned byte = std::to_integer<unsigned>(bytes.bytes()[static_cast<std::size_t>(i)]);
    const unsigned above = byte >> bits;
    const bool sign = (byte >> (bits - 1) & 1u) != 0 && is_signed_integer(dtype);
    if (above != 0 && !(sign && above == 0xFFu >> bits)) {
      return bad("element " + std::to_string(i) + ", got byte " + std::to_string(byte) +
                 ", wanted one of " + std::string(dtype_name(dtype)));
    }
    store_code(dtype, out->mutable_bytes().data(), i, static_cast<std::uint8_t>(byte));
  }
  return out;
}

/// The bytes that to_small reads.
std::vector<std::byte> one_a_byte(const Tensor& tensor) {
  std::vector<std::byte> out(static_cast<std::size_t>(tensor.elements()));
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = static_cast<std::byte>(
        load_code(tensor.dtype(), tensor.bytes().data(), static_cast<std::int64_t>(i)));
  }
  return out;
}

Result<Tensor> read_strings(const Header& header, std::span<const std::byte> file) {
  const auto count = header.shape.checked_elements();
  if (!count) return bad("shape " + header.shape.to_string() + " is too large");
  const auto strings = read_npy_strings(*header.strings, *count, file);
  if (!strings) return strings.error();
  std::vector<std::string_view> views(strings->begin(), strings->end());
  // A pickle lists its objects row by row whatever the order of the array.
  if (header.fortran_order && header.strings->kind != 'O' && !views.empty()) {
    std::vector<std::string_view> rows(views.size());
    copy_fortran(header.shape, ElementWidth(sizeof(std::string_view)),
                 reinterpret_cast<const std::byte*>(views.data()),
                 reinterpret_cast<std::byte*>(rows.data()));
    views = std::move(rows);
  }
  return Tensor::strings(header.shape, views);
}

Result<Tensor> read_elements(const Header& header, std::span<const std::byte> file) {
  const TensorType type{header.dtype, header.shape, {}};
  const auto bytes = type.bytes();
  if (!bytes || std::cmp_less(file.size(), *bytes)) {
    return bad("data of " + type.to_string() + ", got " + std::to_string(file.size()) +
               " bytes, wanted " + (bytes ? std::to_string(*bytes) : "more than fit"));
  }
  auto out = Tensor::allocate(type);
  if (!out) return out.error();
  const std::span<std::byte> target = out->mutable_bytes();
  const ElementWidth width = width_of(type.dtype);
  if (target.empty()) return out;
  if (header.fortran_order) {
    copy_fortran(type.shape, width, file.data(), target.data());
  } else {
    copy_bytes(target.data(), file.data(), target.size());
  }
  if (header.big_endian) swap_bytes(target, width.raw());
  if (type.dtype == DType::kBool) {
    for (std::byte& b : target) b = b != std::byte{0} ? std::byte{1} : std::byte{0};
  }
  return out;
}

}  // namespace

Result<Tensor> read_npy(std::span<const std::byte> file, std::optional<DType> small) {
  const auto text = header_text(file);
  if (!text) return text.error();
  const auto header = HeaderParser(*text).parse();
  if (!header) return header.error();
  if (header->strings) return read_strings(*header, file);
  if (header->nameless && (!small || !is_small(*small))) {
    return Error::unsupported(
        "[npy] element type, got bytes without a name, wanted a float, integer or bool");
  }
  auto elements = read_elements(*header, file);
  if (!elements || !header->nameless) return elements;
  return to_small(*elements, *small);
}

Result<Tensor> load_npy(const std::string& path, std::optional<DType> small) {
  const auto file = MappedFile::open(path);
  if (!file) return file.error();
  auto out = read_npy((*file)->bytes(), small);
  if (auto status = check_mapping(**file); !status) return status.error();
  if (!out) return out.error().with_context("'" + path + "'");
  return out;
}

Result<std::vector<std::byte>> format_npy(const Tensor& tensor) {
  if (!tensor.type().encoding.is_plain() || !tensor.type().is_tensor()) {
    return bad("tensor to write is " + tensor.type().to_string() + ", wanted a plain one");
  }
  std::string descr;
  std::vector<std::byte> own;
  std::span<const std::byte> data = tensor.bytes();
  if (tensor.dtype() == DType::kString) {
    auto text = format_npy_strings(tensor);
    if (!text) return text.error();
    descr = "<U" + std::to_string(text->length);
    own = std::move(text->data);
    data = own;
  } else if (is_small(tensor.dtype())) {
    descr = "|V1";
    own = one_a_byte(tensor);
    data = own;
  } else {
    const auto* row = std::find_if(std::begin(kCodes), std::end(kCodes),
                                   [&](const Code& c) { return c.dtype == tensor.dtype(); });
    descr = (dtype_info(tensor.dtype()).bits > 8 ? "<" : "|") + std::string(row->code);
  }
  std::string dict = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (";
  for (std::int64_t dim : tensor.shape()) dict += std::to_string(dim) + ", ";
  if (tensor.shape().rank() > 1) dict.resize(dict.size() - 2);
  if (tensor.shape().rank() == 1) dict.resize(dict.size() - 1);
  dict += "), }";
  // NumPy wants the data on a 64-byte boundary and a line end before it.
  constexpr std::size_t kFront = 10;
  const auto header_bytes =
      static_cast<std::size_t>(round_up(static_cast<std::int64_t>(kFront + dict.size() + 1), 64));
  dict.resize(header_bytes - kFront - 1, ' ');
  dict += '\n';
  std::vector<std::byte> out(header_bytes + data.size());
  std::memcpy(out.data(), kMagic.data(), kMagic.size());
  out[6] = std::byte{1};
  out[8] = static_cast<std::byte>(dict.size() & 0xFFu);
  out[9] = static_cast<std::byte>(dict.size() >> 8);
  copy_bytes(out.data() + kFront, dict.data(), dict.size());
  std::copy(data.begin(), data.end(), out.begin() + static_cast<std::ptrdiff_t>(header_bytes));
  return out;
}

Status save_npy(const std::string& path, const Tensor& tensor) {
  const auto bytes = format_npy(tensor);
  if (!bytes) return bytes.error();
  return write_file(path, *bytes);
}

}  // namespace polaris
