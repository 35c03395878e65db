#include "wire/value_file.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

#include "base/os/files.h"
#include "base/os/mapped_file.h"
#include "base/os/mapping_guard.h"
#include "base/strings.h"
#include "tensor/values.h"
#include "wire/json_tensor.h"
#include "wire/npy.h"
#include "wire/zip.h"

namespace polaris {
namespace {

constexpr std::string_view kNone = "none";
constexpr std::string_view kEnding = ".npy";

Error bad(std::string_view what) { return Error::invalid("[npz] " + std::string(what)); }

std::string item_name(std::size_t i) { return "arr_" + std::to_string(i); }

/// An .npz file's arrays by name.
class Npz {
 public:
  static Result<Npz> open(const std::string& path) {
    Npz out;
    auto file = MappedFile::open(path);
    if (!file) return file.error();
    out.file_ = file.take();
    auto entries = list_zip(out.file_->bytes());
    if (!entries) return entries.error();
    for (ZipEntry& entry : *entries) {
      if (!entry.name.ends_with(kEnding)) {
        return bad("entry '" + printable(entry.name) + "' is no array, wanted NAME.npy");
      }
      entry.name.resize(entry.name.size() - kEnding.size());
      if (!out.places_.emplace(entry.name, out.entries_.size()).second) {
        return bad("array '" + printable(entry.name) + "' is there twice");
      }
      out.entries_.push_back(std::move(entry));
    }
    return out;
  }

  const std::vector<ZipEntry>& entries() const { return entries_; }
  bool has(std::string_view name) const { return places_.find(name) != places_.end(); }

  Result<Tensor> array(const ZipEntry& entry, DType dtype) const {
    const auto data = read_zip(file_->bytes(), entry);
    if (!data) return data.error();
    auto out = read_npy(*data, dtype);
    if (!out) return out.error().with_context("array '" + printable(entry.name) + "'");
    return out;
  }
  /// Of a name that it has().
  Result<Tensor> array(std::string_view name, DType dtype) const {
    return array(entries_[places_.find(name)->second], dtype);
  }

  Status check() const { return check_mapping(*file_); }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::vector<ZipEntry> entries_;
  std::map<std::string, std::size_t, std::less<>> places_;  // by name
};

Result<Tensor> read_sequence(const Npz& npz, const TensorType& type) {
  if (npz.entries().size() > static_cast<std::size_t>(kSequenceItemsMax)) {
    return Error::exhausted("[npz] arrays, got too many for a sequence");
  }
  std::vector<Tensor> items;
  for (std::size_t i = 0; i < npz.entries().size(); ++i) {
    // Names tell the order, since an archive may have any.
    if (!npz.has(item_name(i))) {
      return bad("arrays of a sequence, got '" + printable(npz.entries()[i].name) + "' but no '" +
                 item_name(i) + "'");
    }
    auto item = npz.array(item_name(i), type.dtype);
    if (!item) return item;
    items.push_back(item.take());
  }
  return make_sequence(type.as(ValueKind::kTensor), std::move(items));
}

Result<Tensor> read_value(const Npz& npz, const TensorType& type) {
  switch (type.kind) {
    case ValueKind::kTensor: break;
    case ValueKind::kSequence: return read_sequence(npz, type);
    case ValueKind::kOptional:
    case ValueKind::kOptionalSequence: {
      const bool sequence = type.kind == ValueKind::kOptionalSequence;
      const TensorType held = type.as(sequence ? ValueKind::kSequence : ValueKind::kTensor);
      if (npz.entries().size() == 1 && npz.has(kNone)) return make_optional(held, std::nullopt);
      auto value = read_value(npz, held);
      if (!value) return value;
      return make_optional(held, value.take());
    }
  }
  if (npz.entries().size() == 1) return npz.array(npz.entries()[0], type.dtype);
  return bad("arrays, got " + std::to_string(npz.entries().size()) + ", wanted one for a tensor");
}

Result<Tensor> load_npz_value(const std::string& path, const TensorType& type) {
  const auto npz = Npz::open(path);
  if (!npz) return npz.error();
  auto out = read_value(*npz, type);
  if (auto status = npz->check(); !status) return status.error();
  return out;
}

Result<Tensor> load_plain(const std::string& path, const TensorType& type) {
  if (type.kind == ValueKind::kSequence || type.kind == ValueKind::kOptionalSequence) {
    return bad("file of a sequence, got '" + path + "', wanted .npz or .json");
  }
  auto out = load_npy(path, type.dtype);
  if (!out || type.is_tensor()) return out;
  return make_optional(out->type(), *out);
}

Status add_array(ZipWriter& zip, std::string_view name, const Tensor& tensor) {
  const auto bytes = format_npy(tensor);
  if (!bytes) return bytes.error();
  return zip.add(std::string(name) + std::string(kEnding), *bytes);
}

Status add_value(ZipWriter& zip, const Tensor& value) {
  const ValueKind kind = value.type().kind;
  if (kind == ValueKind::kTensor) return add_array(zip, item_name(0), value);
  const auto items = value.items();
  if (kind == ValueKind::kSequence) {
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (auto s = add_array(zip, item_name(i), items[i]); !s) return s;
    }
    return Status::success();
  }
  if (!items.empty()) return add_value(zip, items.front());
  auto none = Tensor::allocate(DType::kBool, {0});
  if (!none) return none.error();
  return add_array(zip, kNone, *none);
}

}  // namespace

ValueFormat value_format_of(std::string_view path) {
  if (path.ends_with(".json")) return ValueFormat::kJson;
  return path.ends_with(".npz") ? ValueFormat::kNpz : ValueFormat::kNpy;
}

Result<Tensor> load_value(const std::string& path, const TensorType& type) {
  switch (value_format_of(path)) {
    case ValueFormat::kJson: return load_json_value(path, type);
    case ValueFormat::kNpy: return load_plain(path, type);
    case ValueFormat::kNpz: break;
  }
  auto out = load_npz_value(path, type);
  if (!out) return out.error().with_context("'" + path + "'");
  return out;
}

Result<std::vector<std::string>> list_npz(const std::string& path) {
  const auto npz = Npz::open(path);
  if (!npz) return npz.error().with_context("'" + path + "'");
  std::vector<std::string> out;
  for (const ZipEntry& entry : npz->entries()) out.push_back(entry.name);
  return out;
}

Result<std::vector<std::pair<std::string, Tensor>>> load_npz(
    const std::string& path,
    const std::function<Result<DType>(const std::string& name)>& dtype_of) {
  const auto npz = Npz::open(path);
  if (!npz) return npz.error().with_context("'" + path + "'");
  std::vector<std::pair<std::string, Tensor>> out;
  for (const ZipEntry& entry : npz->entries()) {
    const auto dtype = dtype_of(entry.name);
    if (!dtype) return dtype.error().with_context("'" + path + "'");
    auto array = npz->array(entry, *dtype);
    if (auto status = npz->check(); !status) return status.error();
    if (!array) return array.error().with_context("'" + path + "'");
    out.emplace_back(entry.name, array.take());
  }
  return out;
}

Status save_value(const std::string& path, ValueFormat format, const Tensor& value) {
  switch (format) {
    case ValueFormat::kJson: return write_file(path, format_json_value(value) + "\n");
    case ValueFormat::kNpy: return save_npy(path, value);
    case ValueFormat::kNpz: break;
  }
  ZipWriter zip;
  if (auto s = add_value(zip, value); !s) return s.error().with_context("'" + path + "'");
  return write_file(path, zip.finish());
}

}  // namespace polaris
