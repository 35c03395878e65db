#pragma once
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/encoding.h"

namespace polaris::test {

/// What ggml calls our block formats, in their order.
inline constexpr std::uint32_t kGgmlIds[kBlockFormatCount] = {
    2, 8, 3, 6, 7, 10, 11, 12, 13, 14, 20, 23, 39, 40, 34, 35, 19, 29, 16, 17, 22, 18, 21};

/// Writes GGUF files for tests, version 3 unless told otherwise.
class GgufBuilder {
 public:
  std::uint32_t version = 3;
  std::int64_t alignment = 32;
  std::set<std::string, std::less<>> without;  // keys that are left out when they are added

  void add_u32(std::string_view key, std::uint32_t value);
  void add_f32(std::string_view key, float value);
  void add_bool(std::string_view key, bool value);
  void add_text(std::string_view key, std::string_view value);
  void add_texts(std::string_view key, const std::vector<std::string>& values);
  void add_u32s(std::string_view key, const std::vector<std::uint32_t>& values);
  void add_f32s(std::string_view key, const std::vector<float>& values);
  /// Any value: its type number and bytes as they stand in the file.
  void add_raw(std::string_view key, std::uint32_t type, std::string_view bytes);
  /// Dims in ggml's order, innermost first.
  void add_tensor(std::string_view name, std::uint32_t type, std::vector<std::uint64_t> dims,
                  std::string data);
  std::vector<std::byte> file() const;
  /// The same model in `count` files: all keys in the first, the tensors dealt out in their order,
  /// and in each the keys that say which part it is.
  std::vector<GgufBuilder> split(std::uint32_t count) const;

 private:
  struct TensorRow {
    std::string name;
    std::uint32_t type;
    std::vector<std::uint64_t> dims;
    std::string data;
  };
  std::uint64_t keys_ = 0;
  std::string metadata_;
  std::vector<TensorRow> tensors_;
};

struct TinyLlama {
  std::uint32_t weight_type = 0;  // ggml's: 0 f32, 1 f16, or one of kGgmlIds
  std::uint32_t layers = 2;
  std::uint32_t width = 32;
  std::uint32_t feed_forward = 64;
  std::uint32_t heads = 4;
  std::uint32_t kv_heads = 2;
  std::uint32_t vocab = 24;
  std::uint32_t context = 32;
  bool tied = false;
  std::set<std::string, std::less<>> without;  // keys to leave out
};

/// A complete file of Llama, or of an architecture with the same tensors, with small pseudo-random
/// weights.
GgufBuilder tiny_llama(const TinyLlama& sizes, const std::string& architecture = "llama");
/// Adds what a SentencePiece tokenizer of tiny_llama's tokens needs; `texts` take the place of the
/// last tokens.
void add_tokenizer(GgufBuilder& builder, const TinyLlama& sizes,
                   const std::vector<std::string>& texts = {});

}  // namespace polaris::test
