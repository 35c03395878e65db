#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tensor/tensor.h"

namespace polaris {

/// What an adapter adds to one matrix of its base: W x becomes W x + scale * B (A x). Both are
/// plain float32.
struct AdapterPair {
  Tensor a;  // [rank, inputs]
  Tensor b;  // [outputs, rank]
  double scale = 1.0;
  std::string a_name;  // in the adapter's file
  std::string b_name;
};

/// A low-rank adapter of a language model (LoRA, Hu et al. 2021).
struct Adapter {
  std::string file;          // for messages, and to choose it by
  std::string architecture;  // that it is for, as GGUF names it; empty where it does not say
  /// The rows of q and k stand so that turned pairs are halves of a head, whatever the base's.
  bool halves_apart = false;
  std::map<std::string, AdapterPair, std::less<>> pairs;  // by the base's tensor
};

/// The adapters that a decoder is built with, of which each text may have some.
struct AdapterSet {
  std::vector<Adapter> adapters;
  std::int64_t per_text = 1;
};

/// More adapters, or columns of A, are no adapters that anybody trained.
inline constexpr std::size_t kAdaptersMax = 64;
inline constexpr std::int64_t kAdapterRankMax = 4096;

/// "[lora] 'FILE' tensor 'NAME', " for messages.
std::string adapter_tensor_text(const Adapter& adapter, const std::string& tensor);

}  // namespace polaris
