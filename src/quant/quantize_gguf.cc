#include "quant/quantize_gguf.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "base/bytes.h"
#include "base/os/mapping_guard.h"
#include "base/os/output_file.h"
#include "base/strings.h"
#include "base/thread_pool.h"
#include "load/gguf/gguf_parts.h"
#include "quant/merge_adapters.h"
#include "quant/storage_choice.h"
#include "quant/tensor_convert.h"
#include "save/gguf/gguf_writer.h"

namespace polaris {
namespace {

constexpr std::uint32_t kQuantizationVersion = 2;  // of ggml's block formats as they are today
constexpr std::int64_t kPieceBytes = 8 << 20;      // of a tensor that is copied
constexpr std::int64_t kPageBytesMax = 1 << 16;    // of the system's

/// A tensor on its way from a part of the source to the file.
struct Job {
  const gguf::TensorInfo* info = nullptr;
  const SourceFile* file = nullptr;
  const gguf::GgmlType* to = nullptr;
  StorageChoice choice;
  bool merged = false;  // adapters change it
};

class Quantizer {
 public:
  Quantizer(const std::vector<gguf::GgufPart>& parts, const QuantizeOptions& options)
      : parts_(parts), options_(options), pool_(options.threads), convert_(pool_) {
    if (options.adapters != nullptr) {
      merge_.emplace(*options.adapters, parts[0].gguf.metadata);
    }
  }

  Result<QuantizeReport> run(const std::string& to) {
    if (auto status = plan(); !status) return status.error();
    auto writer = gguf::GgufWriter::create(to, content());
    if (!writer) return writer.error();
    for (const Job& job : jobs_) {
      if (auto status = write(job, *writer); !status) return status.error();
      if (job.file->mapping == nullptr) continue;
      if (auto status = check_mapping(*job.file->mapping); !status) return status.error();
    }
    if (auto status = writer->finish(); !status) return status.error();
    report_.bytes_after = writer->bytes();
    return std::move(report_);
  }

 private:
  Status plan() {
    std::vector<NamedShape> shapes;
    for (const gguf::GgufPart& part : parts_) {
      report_.bytes_before += static_cast<std::int64_t>(part.file.bytes.size());
      for (const gguf::TensorInfo& info : part.gguf.tensors) {
        shapes.push_back({info.name, info.shape});
        jobs_.push_back({&info, &part.file, info.type, {}});
        all_bytes_ += static_cast<std::int64_t>(info.bytes.size());
      }
    }
    if (merge_) {
      if (auto status = merge_->check(shapes); !status) return status;
    }
    const auto choices = choose_storage(*options_.scheme, parts_[0].gguf.metadata, shapes);
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      Job& job = jobs_[i];
      job.choice = choices[i];
      job.merged = merge_ && merge_->changes(job.info->name);
      if (!job.choice.storage.empty()) job.to = gguf::find_ggml_type(job.choice.storage);
      if (job.to == job.info->type && !job.merged) continue;
      if (auto status = check_source(*job.info); !status) return status;
    }
    return Status::success();
  }

  Status check_source(const gguf::TensorInfo& info) const {
    const std::string what = "[quantize] tensor '" + printable(info.name) + "', got " +
                             std::string(info.type->name) + ", wanted ";
    const auto type = gguf::tensor_type_of(*info.type, info.shape);
    if (!type || !can_convert(*type)) {
      return Error::unsupported(what + "f32, f16, bf16 or a block format that is read here");
    }
    if (type->encoding.is_plain() || options_.allow_requantize) return Status::success();
    return Error::unsupported(what +
                              "f32, f16 or bf16: quantizing a second time adds to the errors of "
                              "the first (--allow-requantize does it all the same)");
  }

  gguf::FileToWrite content() {
    gguf::FileToWrite out;
    const gguf::GgufFile& first = parts_[0].gguf;
    out.alignment = first.alignment;
    for (const gguf::GgufEntry& entry : first.entries) {
      if (!entry.key.starts_with("split.")) out.entries.push_back(entry);
    }
    if (!options_.scheme->storage.empty()) {
      version_ = gguf::u32_value(kQuantizationVersion);
      file_type_ = gguf::u32_value(options_.scheme->file_type);
      set(out.entries, {"general.quantization_version", version_});
      set(out.entries, {"general.file_type", file_type_});
    }
    for (const Job& job : jobs_) out.tensors.push_back({job.info->name, job.to, job.info->shape});
    return out;
  }

  static void set(std::vector<gguf::GgufEntry>& entries, const gguf::GgufEntry& entry) {
    const auto at = std::find_if(entries.begin(), entries.end(),
                                 [&](const gguf::GgufEntry& e) { return e.key == entry.key; });
    if (at == entries.end()) {
      entries.push_back(entry);
    } else {
      *at = entry;
    }
  }

  Status write(const Job& job, gguf::GgufWriter& writer) {
    QuantizedTensor done;
    done.name = job.info->name;
    done.shape = job.info->shape;
    done.from = job.info->type->name;
    done.to = job.to->name;
    done.wanted = job.choice.wanted;
    done.bytes_before = static_cast<std::int64_t>(job.info->bytes.size());
    const std::int64_t before = writer.bytes();
    report_.elements += job.info->shape.elements();
    std::int64_t taken = 0;
    const auto put = [&](std::span<const std::byte> bytes, std::int64_t read) {
      if (options_.cancel != nullptr && options_.cancel->cancelled()) {
        return Status(Error::cancelled("[quantize] stopped"));
      }
      taken += read;
      if (options_.progress) options_.progress(done_bytes_ + taken, all_bytes_);
      auto status = writer.append(bytes);
      // The page that the piece before ended in is whole only now.
      const std::int64_t from = std::max<std::int64_t>(taken - read - kPageBytesMax, 0);
      const auto behind = job.info->bytes.subspan(static_cast<std::size_t>(from),
                                                  static_cast<std::size_t>(taken - from));
      if (job.file->mapping) job.file->mapping->release_pages(behind);
      return status;
    };
    Status status = job.merged                 ? merge(job, put, done)
                    : job.to == job.info->type ? copy(job, put)
                                               : convert(job, put, done);
    done_bytes_ += taken;
    done.bytes_after = writer.bytes() - before;
    report_.tensors.push_back(std::move(done));
    return status;
  }

  template <class Put>
  static Status copy(const Job& job, const Put& put) {
    for (auto rest = job.info->bytes; !rest.empty();) {
      const auto part = rest.first(std::min<std::size_t>(rest.size(), kPieceBytes));
      if (auto status = put(part, static_cast<std::int64_t>(part.size())); !status) return status;
      rest = rest.subspan(part.size());
    }
    return Status::success();
  }

  template <class Put>
  Status convert(const Job& job, const Put& put, QuantizedTensor& done) {
    const TensorType from = *gguf::tensor_type_of(*job.info->type, job.info->shape);
    const TensorType to = *gguf::tensor_type_of(*job.to, job.info->shape);
    const auto error = convert_.run(from, job.info->bytes, to, put);
    if (!error) return error.error().with_context("tensor '" + printable(job.info->name) + "'");
    done.relative_error = *error;
    return Status::success();
  }

  /// The whole matrix as float32, what adapters add, and then as any other.
  template <class Put>
  Status merge(const Job& job, const Put& put, QuantizedTensor& done) {
    const TensorType from = *gguf::tensor_type_of(*job.info->type, job.info->shape);
    const TensorType to = *gguf::tensor_type_of(*job.to, job.info->shape);
    const TensorType plain{DType::kF32, job.info->shape, {}};
    auto whole = Tensor::allocate(plain);
    if (!whole) return whole.error();
    std::byte* at = whole->mutable_bytes().data();
    const auto fill = [&](std::span<const std::byte> bytes, std::int64_t) {
      copy_bytes(at, bytes.data(), bytes.size());
      at += bytes.size();
      return Status::success();
    };
    const std::string name = "tensor '" + printable(job.info->name) + "'";
    const auto read = convert_.run(from, job.info->bytes, plain, fill);
    if (!read) return read.error().with_context(name);
    auto* values = whole->mutable_data<float>();
    if (auto s = merge_->add(pool_, job.info->name, job.info->shape, values); !s) return s;
    // What is read of it stands for as large a share of the file's bytes.
    const auto all = static_cast<double>(whole->bytes().size());
    std::int64_t taken = 0;
    std::int64_t shown = 0;
    const auto share = [&](std::span<const std::byte> bytes, std::int64_t part) {
      taken += part;
      const double done_part = static_cast<double>(taken) / all;
      const auto now =
          static_cast<std::int64_t>(done_part * static_cast<double>(job.info->bytes.size()));
      const std::int64_t more = now - shown;
      shown = now;
      return put(bytes, more);
    };
    const auto error = convert_.run(plain, whole->bytes(), to, share);
    if (!error) return error.error().with_context(name);
    done.relative_error = *error;
    return Status::success();
  }

  const std::vector<gguf::GgufPart>& parts_;
  const QuantizeOptions& options_;
  std::optional<MergeAdapters> merge_;
  ThreadPool pool_;
  TensorConvert convert_;
  std::vector<Job> jobs_;
  std::int64_t all_bytes_ = 0;
  std::int64_t done_bytes_ = 0;
  std::vector<std::byte> version_;
  std::vector<std::byte> file_type_;
  QuantizeReport report_;
};

Status check_target(const std::vector<gguf::GgufPart>& parts, const std::string& to) {
  const auto target = identity_of(to);
  for (const gguf::GgufPart& part : parts) {
    if (target && part.file.mapping && identity_of(*part.file.mapping) == target) {
      return Error::invalid("[quantize] '" + to +
                            "' is a file of the model itself, wanted another");
    }
  }
  return Status::success();
}

}  // namespace

Result<QuantizeReport> quantize_gguf(const std::string& from, const std::string& to,
                                     const QuantizeOptions& options) {
  auto source = Source::open(from);
  if (!source) return source.error();
  if (!gguf::is_gguf(source->main().bytes)) {
    return Error::unsupported("[quantize] '" + from + "' is no GGUF file");
  }
  const auto parts = gguf::read_parts(*source);
  if (!parts) return parts.error().with_context("'" + from + "'");
  if (auto status = check_target(*parts, to); !status) return status.error();
  auto report = Quantizer(*parts, options).run(to);
  if (!report) return report.error().with_context("'" + from + "'");
  return report;
}

}  // namespace polaris
