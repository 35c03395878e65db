#include "support/gguf_builder.h"

#include <cstring>

#include "support/random_blocks.h"
#include "tensor/block_format.h"
#include "tensor/half.h"

namespace polaris::test {
namespace {

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof(T));
}
void put_text(std::string& out, std::string_view text) {
  put(out, static_cast<std::uint64_t>(text.size()));
  out += text;
}
void pad(std::string& out, std::int64_t alignment) {
  while (out.size() % static_cast<std::size_t>(alignment) != 0) out += '\0';
}

// Values in (-0.25, 0.25) from a counter, the same on every machine.
std::vector<float> noise(std::uint64_t count, std::uint32_t seed) {
  std::vector<float> out(count);
  for (float& v : out) {
    seed = seed * 1664525u + 1013904223u;
    v = static_cast<float>(seed >> 8) / static_cast<float>(1 << 24) * 0.5f - 0.25f;
  }
  return out;
}

std::string encode(std::uint32_t type, const std::vector<float>& values) {
  std::string out;
  if (type == 0) out.assign(reinterpret_cast<const char*>(values.data()), values.size() * 4);
  if (type == 1) {
    for (float v : values) put(out, f32_to_f16(v));
  }
  for (int i = 0; i < kBlockFormatCount; ++i) {
    if (kGgmlIds[i] != type) continue;
    const auto format = static_cast<BlockFormat>(i);
    const BlockFormatInfo& info = block_format_info(format);
    const auto count = static_cast<std::int64_t>(values.size());
    out.resize(static_cast<std::size_t>(count / info.block_elements * info.block_bytes));
    fill_blocks(format, values.data(), count, reinterpret_cast<std::byte*>(out.data()));
  }
  return out;
}

/// "t0", "t1" ..., and `last` at the end.
std::vector<std::string> token_texts(const TinyLlama& s, const std::vector<std::string>& last) {
  std::vector<std::string> out;
  for (std::uint32_t i = 0; i < s.vocab; ++i) out.push_back("t" + std::to_string(i));
  for (std::size_t i = 0; i < last.size(); ++i) out[out.size() - last.size() + i] = last[i];
  return out;
}

}  // namespace

void GgufBuilder::add_raw(std::string_view key, std::uint32_t type, std::string_view bytes) {
  if (without.contains(key)) return;
  put_text(metadata_, key);
  put(metadata_, type);
  metadata_ += bytes;
  ++keys_;
}

void GgufBuilder::add_u32(std::string_view key, std::uint32_t value) {
  add_raw(key, 4, {reinterpret_cast<const char*>(&value), 4});
}
void GgufBuilder::add_f32(std::string_view key, float value) {
  add_raw(key, 6, {reinterpret_cast<const char*>(&value), 4});
}
void GgufBuilder::add_bool(std::string_view key, bool value) {
  add_raw(key, 7, std::string(1, value ? '\1' : '\0'));
}
void GgufBuilder::add_text(std::string_view key, std::string_view value) {
  std::string bytes;
  put_text(bytes, value);
  add_raw(key, 8, bytes);
}
void GgufBuilder::add_texts(std::string_view key, const std::vector<std::string>& values) {
  std::string bytes;
  put(bytes, std::uint32_t{8});
  put(bytes, static_cast<std::uint64_t>(values.size()));
  for (const std::string& value : values) put_text(bytes, value);
  add_raw(key, 9, bytes);
}

void GgufBuilder::add_u32s(std::string_view key, const std::vector<std::uint32_t>& values) {
  std::string bytes;
  put(bytes, std::uint32_t{4});
  put(bytes, static_cast<std::uint64_t>(values.size()));
  for (std::uint32_t value : values) put(bytes, value);
  add_raw(key, 9, bytes);
}
void GgufBuilder::add_f32s(std::string_view key, const std::vector<float>& values) {
  std::string bytes;
  put(bytes, std::uint32_t{6});
  put(bytes, static_cast<std::uint64_t>(values.size()));
  for (float value : values) put(bytes, value);
  add_raw(key, 9, bytes);
}

void GgufBuilder::add_tensor(std::string_view name, std::uint32_t type,
                             std::vector<std::uint64_t> dims, std::string data) {
  tensors_.push_back({std::string(name), type, std::move(dims), std::move(data)});
}

std::vector<std::byte> GgufBuilder::file() const {
  std::string out = "GGUF";
  put(out, version);
  put(out, static_cast<std::uint64_t>(tensors_.size()));
  put(out, keys_);
  out += metadata_;
  std::string data;
  for (const TensorRow& row : tensors_) {
    put_text(out, row.name);
    put(out, static_cast<std::uint32_t>(row.dims.size()));
    for (std::uint64_t dim : row.dims) put(out, dim);
    put(out, row.type);
    put(out, static_cast<std::uint64_t>(data.size()));
    data += row.data;
    pad(data, alignment);
  }
  pad(out, alignment);
  out += data;
  std::vector<std::byte> bytes(out.size());
  std::memcpy(bytes.data(), out.data(), out.size());
  return bytes;
}

std::vector<GgufBuilder> GgufBuilder::split(std::uint32_t count) const {
  std::vector<GgufBuilder> out(count);
  out[0].keys_ = keys_;
  out[0].metadata_ = metadata_;
  for (std::uint32_t i = 0; i < count; ++i) {
    out[i].version = version;
    out[i].alignment = alignment;
    out[i].add_u32("split.no", i);
    out[i].add_u32("split.count", count);
    out[i].add_u32("split.tensors.count", static_cast<std::uint32_t>(tensors_.size()));
  }
  for (std::size_t i = 0; i < tensors_.size(); ++i) {
    out[i * count / tensors_.size()].tensors_.push_back(tensors_[i]);
  }
  return out;
}

GgufBuilder tiny_llama(const TinyLlama& s, const std::string& architecture) {
  GgufBuilder b;
  b.without = s.without;
  b.add_text("general.architecture", architecture);
  b.add_u32(architecture + ".block_count", s.layers);
  b.add_u32(architecture + ".context_length", s.context);
  b.add_u32(architecture + ".embedding_length", s.width);
  b.add_u32(architecture + ".feed_forward_length", s.feed_forward);
  b.add_u32(architecture + ".attention.head_count", s.heads);
  b.add_u32(architecture + ".attention.head_count_kv", s.kv_heads);
  b.add_u32(architecture + ".rope.dimension_count", s.width / s.heads);
  b.add_f32(architecture + ".attention.layer_norm_rms_epsilon", 1e-5f);
  b.add_texts("tokenizer.ggml.tokens", token_texts(s, {}));
  std::uint32_t seed = 1;
  const auto matrix = [&](const std::string& name, std::uint64_t in, std::uint64_t out) {
    b.add_tensor(name, s.weight_type, {in, out}, encode(s.weight_type, noise(in * out, ++seed)));
  };
  const auto scale = [&](const std::string& name) {
    b.add_tensor(name, 0, {s.width}, encode(0, std::vector<float>(s.width, 1.0f)));
  };
  const std::uint64_t kv_width = std::uint64_t{s.width} / s.heads * s.kv_heads;
  matrix("token_embd.weight", s.width, s.vocab);
  for (std::uint32_t i = 0; i < s.layers; ++i) {
    const std::string blk = "blk." + std::to_string(i) + ".";
    scale(blk + "attn_norm.weight");
    matrix(blk + "attn_q.weight", s.width, s.width);
    matrix(blk + "attn_k.weight", s.width, kv_width);
    matrix(blk + "attn_v.weight", s.width, kv_width);
    matrix(blk + "attn_output.weight", s.width, s.width);
    scale(blk + "ffn_norm.weight");
    matrix(blk + "ffn_gate.weight", s.width, s.feed_forward);
    matrix(blk + "ffn_up.weight", s.width, s.feed_forward);
    matrix(blk + "ffn_down.weight", s.feed_forward, s.width);
  }
  scale("output_norm.weight");
  if (!s.tied) matrix("output.weight", s.width, s.vocab);
  // What was left out may be added otherwise now.
  b.without.clear();
  return b;
}

void add_tokenizer(GgufBuilder& builder, const TinyLlama& s,
                   const std::vector<std::string>& texts) {
  builder.add_text("tokenizer.ggml.model", "llama");
  if (!texts.empty()) builder.add_texts("tokenizer.ggml.tokens", token_texts(s, texts));
  builder.add_f32s("tokenizer.ggml.scores", std::vector<float>(s.vocab, 0.0f));
  std::vector<std::uint32_t> kinds(s.vocab, 1);
  kinds[0] = 2;
  kinds[1] = kinds[2] = 3;
  builder.add_u32s("tokenizer.ggml.token_type", kinds);
  builder.add_u32("tokenizer.ggml.bos_token_id", 1);
  builder.add_u32("tokenizer.ggml.eos_token_id", 2);
}

}  // namespace polaris::test
