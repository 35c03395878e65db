#include "save/gguf/gguf_writer.h"

#include <array>
#include <cstring>
#include <string_view>

#include "base/checked.h"
#include "base/strings.h"

namespace polaris::gguf {
namespace {

constexpr std::uint32_t kVersion = 3;
constexpr std::uint32_t kTypeU32 = 4;

template <class T>
void put_number(std::vector<std::byte>& out, T value) {
  std::array<std::byte, sizeof(T)> bytes;
  std::memcpy(bytes.data(), &value, sizeof(T));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_text(std::vector<std::byte>& out, std::string_view text) {
  put_number(out, static_cast<std::uint64_t>(text.size()));
  const auto bytes = std::as_bytes(std::span(text.data(), text.size()));
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void put_tensor(std::vector<std::byte>& out, const TensorToWrite& tensor, std::int64_t offset) {
  put_text(out, tensor.name);
  put_number(out, static_cast<std::uint32_t>(tensor.shape.rank()));
  for (int i = tensor.shape.rank() - 1; i >= 0; --i) {
    put_number(out, static_cast<std::uint64_t>(tensor.shape[i]));
  }
  put_number(out, tensor.type->id);
  put_number(out, static_cast<std::uint64_t>(offset));
}

/// The bytes of each tensor.
Result<std::vector<std::int64_t>> sizes_of(const FileToWrite& content) {
  std::vector<std::int64_t> sizes;
  std::int64_t all = 0;
  for (const TensorToWrite& tensor : content.tensors) {
    const auto bytes = stored_bytes(*tensor.type, tensor.shape);
    const auto sum = bytes ? checked_add(all, *bytes) : std::nullopt;
    if (!sum || *sum > INT64_MAX / 2) {
      return Error::invalid("[gguf] tensor '" + printable(tensor.name) + "' to write, got " +
                            tensor.shape.to_string() + ", wanted rows of whole " +
                            std::string(tensor.type->name) + " blocks");
    }
    sizes.push_back(*bytes);
    all = round_up(*sum, content.alignment);
  }
  return sizes;
}

}  // namespace

std::vector<std::byte> u32_value(std::uint32_t number) {
  std::vector<std::byte> out;
  put_number(out, kTypeU32);
  put_number(out, number);
  return out;
}

Result<GgufWriter> GgufWriter::create(const std::string& path, const FileToWrite& content) {
  auto sizes = sizes_of(content);
  if (!sizes) return sizes.error();
  std::vector<std::byte> head;
  for (const char c : std::string_view("GGUF")) head.push_back(static_cast<std::byte>(c));
  put_number(head, kVersion);
  put_number(head, static_cast<std::uint64_t>(content.tensors.size()));
  put_number(head, static_cast<std::uint64_t>(content.entries.size()));
  for (const GgufEntry& entry : content.entries) {
    put_text(head, entry.key);
    head.insert(head.end(), entry.value.begin(), entry.value.end());
  }
  std::int64_t offset = 0;
  for (std::size_t i = 0; i < sizes->size(); ++i) {
    put_tensor(head, content.tensors[i], offset);
    offset = round_up(offset + (*sizes)[i], content.alignment);
  }
  auto file = OutputFile::create(path);
  if (!file) return file.error();
  GgufWriter out(file.take(), content.alignment);
  out.sizes_ = sizes.take();
  if (!out.sizes_.empty()) out.rest_ = out.sizes_[0];
  if (auto status = out.put(head); !status) return status.error();
  if (auto status = out.pad(); !status) return status.error();
  if (auto status = out.go_on(); !status) return status.error();
  return out;
}

Status GgufWriter::append(std::span<const std::byte> bytes) {
  if (static_cast<std::int64_t>(bytes.size()) > rest_) {
    return Error::internal("[gguf] more bytes than tensor " + std::to_string(tensor_) + " has");
  }
  if (auto status = put(bytes); !status) return status;
  rest_ -= static_cast<std::int64_t>(bytes.size());
  return go_on();
}

/// To the next tensor that lacks bytes; those without elements never do.
Status GgufWriter::go_on() {
  while (rest_ == 0 && tensor_ < sizes_.size()) {
    if (auto status = pad(); !status) return status;
    ++tensor_;
    rest_ = tensor_ < sizes_.size() ? sizes_[tensor_] : 0;
  }
  return Status::success();
}

Status GgufWriter::finish() {
  if (tensor_ < sizes_.size()) {
    return Error::internal("[gguf] tensor " + std::to_string(tensor_) + " lacks " +
                           std::to_string(rest_) + " bytes");
  }
  return file_.commit();
}

Status GgufWriter::put(std::span<const std::byte> bytes) {
  written_ += static_cast<std::int64_t>(bytes.size());
  return file_.append(bytes);
}

Status GgufWriter::pad() {
  std::int64_t zeros = round_up(written_, alignment_) - written_;
  constexpr std::array<std::byte, 4096> kZeros{};
  while (zeros > 0) {
    const auto part = std::min<std::int64_t>(zeros, kZeros.size());
    if (auto status = put(std::span(kZeros).first(static_cast<std::size_t>(part))); !status) {
      return status;
    }
    zeros -= part;
  }
  return Status::success();
}

}  // namespace polaris::gguf
