#include "quant/merge_adapters.h"

#include <algorithm>

#include "arch/adapter/adapter_stack.h"
#include "base/strings.h"

namespace polaris {
namespace {

std::string architecture_of(const Metadata& metadata) {
  const auto at = metadata.find("general.architecture");
  const auto* text = at == metadata.end() ? nullptr : std::get_if<std::string>(&at->second);
  return text == nullptr ? "" : *text;
}

/// Of q and k, whose rows stand so that turned pairs are neighbours in files of Llama alone
/// (arch/llama.cc). 0: of no other matrix.
std::int64_t turned_heads(const Metadata& metadata, const std::string& matrix) {
  if (architecture_of(metadata) != "llama") return 0;
  const auto heads = [&](const char* key, std::int64_t otherwise) {
    const auto at = metadata.find(key);
    const auto* count = at == metadata.end() ? nullptr : std::get_if<std::int64_t>(&at->second);
    return count == nullptr ? otherwise : *count;
  };
  const std::int64_t all = heads("llama.attention.head_count", 0);
  if (matrix.ends_with(".attn_q.weight")) return all;
  if (matrix.ends_with(".attn_k.weight")) return heads("llama.attention.head_count_kv", all);
  return 0;
}

}  // namespace

Status MergeAdapters::check(const std::vector<NamedShape>& tensors) const {
  const std::string architecture = architecture_of(metadata_);
  for (const Adapter& adapter : set_.adapters) {
    if (!adapter.architecture.empty() && adapter.architecture != architecture) {
      return Error::invalid("[lora] '" + printable(adapter.file) + "' general.architecture, got '" +
                            printable(adapter.architecture) + "', wanted '" +
                            printable(architecture) + "', the base's");
    }
    for (const auto& [matrix, pair] : adapter.pairs) {
      const auto same = [&](const NamedShape& tensor) { return tensor.name == matrix; };
      if (std::ranges::any_of(tensors, same)) continue;
      return Error::invalid(adapter_tensor_text(adapter, pair.a_name) +
                            "got none of the base's, wanted one of its matrices");
    }
  }
  return Status::success();
}

bool MergeAdapters::changes(const std::string& matrix) const { return adapts(set_, matrix); }

Status MergeAdapters::add(ThreadPool& pool, const std::string& matrix, const Shape& shape,
                          float* values) const {
  if (shape.rank() != 2) {
    return Error::invalid("[lora] tensor '" + printable(matrix) + "' shape, got " +
                          shape.to_string() + ", wanted a matrix, as adapters change");
  }
  const AdaptedMatrix what{matrix, shape[1], shape[0], turned_heads(metadata_, matrix)};
  const std::int64_t heads = what.turned_heads;
  if (heads < 0 || (heads > 0 && shape[0] % (2 * heads) != 0)) {
    return Error::invalid("[lora] tensor '" + printable(matrix) + "' rows, got " +
                          std::to_string(shape[0]) + ", wanted pairs of " + std::to_string(heads) +
                          " heads");
  }
  const auto stack = stack_adapters(set_, what);
  if (!stack) return stack.error();
  const std::int64_t rank = stack->a.shape()[1];
  const std::int64_t width = shape[1];
  const std::int64_t matrix_b = shape[0] * rank;
  pool.parallel_for(shape[0], 16, [&](std::int64_t from, std::int64_t to, int) {
    for (std::int64_t n = from; n < to; ++n) {
      float* row = values + n * width;
      for (std::int64_t e = 1; e < stack->a.shape()[0]; ++e) {
        const float* b = stack->b.data<float>() + e * matrix_b + n * rank;
        const float* a = stack->a.data<float>() + e * rank * width;
        for (std::int64_t r = 0; r < rank; ++r) {
          for (std::int64_t k = 0; k < width; ++k) row[k] += b[r] * a[r * width + k];
        }
      }
    }
  });
  return Status::success();
}

}  // namespace polaris
