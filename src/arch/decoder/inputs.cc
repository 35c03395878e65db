#include "arch/decoder/inputs.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/checked.h"

namespace polaris {
namespace {

using Kind = Symbol::Kind;

std::size_t add_input(ArchBuilder& b, ValueId& out, const std::string& name, const Shape& shape) {
  out = b.graph().add_input(name, {DType::kI32, shape, {}});
  return b.graph().inputs().size() - 1;
}

std::int64_t add_dim(ArchBuilder& b, const std::string& name, Kind kind, std::int64_t bound) {
  return symbol_dim(b.graph().add_symbol({name, kind, bound}));
}

/// Pages of the longest row.
std::int64_t row_pages_max(const ArchOptions& options, const DecoderSpec& spec,
                           std::int64_t window) {
  const std::int64_t all = ceil_div(spec.context, options.page_size);
  if (window == 0) return all;
  const std::int64_t held = ceil_div(window - 1 + options.tokens_max, options.page_size) + 1;
  return std::min(all, held);
}

struct Dims {
  std::int64_t tokens;
  std::int64_t sequences;
};

/// Adds the inputs of one cache group after another; those of the first have plain names.
class GroupInputs {
 public:
  GroupInputs(ArchBuilder& b, const DecoderSpec& spec, const Dims& dims, DecoderInputs& in)
      : b_(b), spec_(spec), dims_(dims), in_(in) {}

  void add_slots(std::int64_t window) {
    CacheGroup group;
    group.name = window > 0 ? "window" : "kv";
    group.page_size = b_.input().options().page_size;
    group.window = window;
    prefix_ = in_.groups.empty() ? "" : group.name + ".";
    CacheValues& values = in_.groups.emplace_back();
    group.slots = add_input(b_, values.slots, prefix_ + "slots", {dims_.tokens});
    in_.contract.groups.push_back(std::move(group));
  }
  /// The rest of the group that add_slots began.
  void add_table() {
    CacheGroup& group = in_.contract.groups.back();
    CacheValues& values = in_.groups.back();
    const std::int64_t width = row_pages_max(b_.input().options(), spec_, group.window);
    const std::int64_t table = add_dim(b_, prefix_ + "table", Kind::kBounded, width);
    group.block_table =
        add_input(b_, values.block_table, prefix_ + "block_table", {dims_.sequences, table});
    values.state = cache_type(b_, spec_, prefix_);
  }
  /// A row of a window does not begin at the sequence's first token.
  void add_positions() {
    for (std::size_t g = 0; g < in_.groups.size(); ++g) {
      CacheGroup& group = in_.contract.groups[g];
      CacheValues& values = in_.groups[g];
      group.positions = in_.contract.positions;
      values.positions = in_.positions;
      if (group.window == 0) continue;
      group.positions = add_input(b_, values.positions, group.name + ".positions", {dims_.tokens});
    }
  }

 private:
  ArchBuilder& b_;
  const DecoderSpec& spec_;
  const Dims& dims_;
  DecoderInputs& in_;
  std::string prefix_;
};

/// Of the whole context first: 0, then the window.
std::vector<std::int64_t> windows_of(const DecoderSpec& spec) {
  std::vector<std::int64_t> out;
  for (const std::int64_t window : {std::int64_t{0}, spec.window}) {
    for (std::int64_t layer = 0; layer < spec.layers; ++layer) {
      if (spec.has_window(layer) != (window > 0)) continue;
      out.push_back(window);
      break;
    }
    if (spec.window == 0) break;
  }
  return out;
}

/// As GGUF numbers them; what it calls none leaves the choice to us.
Pooling read_pooling(ArchBuilder& b, Pooling otherwise) {
  const std::int64_t type = b.integer("pooling_type", 0, INT32_MAX, 0);
  switch (type) {
    case 0: return otherwise;
    case 1: return Pooling::kMean;
    case 2: return Pooling::kFirst;
    case 3: return Pooling::kLast;
    default: break;
  }
  b.fail_unsupported("hyperparameter 'pooling_type', got " + std::to_string(type) +
                     ", wanted 1 (mean), 2 (cls) or 3 (last)");
  return otherwise;
}

/// What an encoder wrote, of which every token reads all.
void add_source_inputs(ArchBuilder& b, const DecoderSpec& spec, const Dims& dims,
                       DecoderInputs& in) {
  const ArchOptions& options = b.input().options();
  CacheGroup group;
  group.name = "cross";
  group.page_size = options.page_size;
  group.cross = true;
  group.slots = kSourceSlots;
  CacheValues values;
  const std::int64_t pages = ceil_div(spec.source_positions, options.page_size);
  const std::int64_t table = add_dim(b, "cross.table", Kind::kBounded, pages);
  group.block_table =
      add_input(b, values.block_table, "cross.block_table", {dims.sequences, table});
  group.positions = add_input(b, values.positions, "cross.positions", {dims.tokens});
  values.state = cache_type(b, spec, "cross.");
  in.groups.push_back(values);
  in.contract.groups.push_back(std::move(group));
  in.contract.encoder = EncoderContract{kSourceEncoder, kSource};
}

}  // namespace

TensorType cache_type(ArchBuilder& b, const DecoderSpec& spec, const std::string& prefix) {
  const ArchOptions& options = b.input().options();
  const std::int64_t pages = add_dim(b, prefix + "pages", Kind::kFree, 0);
  TensorType type{DType::kF32, {pages, options.page_size, spec.kv_heads * spec.head_size}, {}};
  switch (options.kv_type) {
    case KvType::kF32: break;
    case KvType::kF16: type.dtype = DType::kF16; break;
    case KvType::kQ8_0: type.encoding = Encoding::of(BlockFormat::kQ8_0); break;
    case KvType::kQ4_0: type.encoding = Encoding::of(BlockFormat::kQ4_0); break;
  }
  if (type.encoding.is_block() &&
      type.shape.back() % block_format_info(type.encoding.format).block_elements != 0) {
    b.fail_unsupported("a " + std::string(kv_type_name(options.kv_type)) + " cache of rows of " +
                       std::to_string(type.shape.back()) + ", wanted a multiple of 32");
  }
  return type;
}

std::size_t DecoderInputs::group_of(const DecoderSpec& spec, std::int64_t layer) const {
  const bool window = spec.has_window(layer);
  std::size_t group = 0;
  while (group + 1 < groups.size() && (contract.groups[group].window > 0) != window) ++group;
  return group;
}

DecoderInputs add_decoder_inputs(ArchBuilder& b, const DecoderSpec& spec) {
  const ArchOptions& options = b.input().options();
  DecoderInputs in;
  const std::int64_t tokens = add_dim(b, "tokens", Kind::kBucketed, options.tokens_max);
  const std::int64_t rows = add_dim(b, "rows", Kind::kBucketed, options.tokens_max);
  const Dims dims{tokens, add_dim(b, "sequences", Kind::kBucketed, options.sequences_max)};
  in.contract.tokens = add_input(b, in.tokens, "tokens", {tokens});
  in.contract.positions = add_input(b, in.positions, "positions", {tokens});
  const std::vector<std::int64_t> windows = windows_of(spec);
  GroupInputs groups(b, spec, dims, in);
  groups.add_slots(windows.front());
  in.contract.sequences = add_input(b, in.sequences, "sequences", {tokens});
  groups.add_table();
  in.contract.logit_rows = add_input(b, in.logit_rows, "logit_rows", {rows});
  for (std::size_t g = 1; g < windows.size(); ++g) {
    groups.add_slots(windows[g]);
    groups.add_table();
  }
  groups.add_positions();
  if (spec.source_positions > 0) add_source_inputs(b, spec, dims, in);
  if (const AdapterSet* set = b.adapters().set.get()) {
    AdapterInput& adapters = in.contract.adapters.emplace();
    adapters.input = add_input(b, b.adapters().ids, "adapters", {tokens, set->per_text});
    adapters.per_text = set->per_text;
    for (const Adapter& adapter : set->adapters) adapters.names.push_back(adapter.file);
  }
  in.rope_positions = b.reshape("positions.batch", in.positions, {1, -1});
  return in;
}

DecoderInputs add_embedder_inputs(ArchBuilder& b, const DecoderSpec& spec, bool causal,
                                  Pooling otherwise, bool typed) {
  const ArchOptions& options = b.input().options();
  const auto power = [](std::int64_t n) {
    return static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(n)));
  };
  const std::int64_t longest = power(spec.context);
  const std::int64_t tokens =
      add_dim(b, "tokens", Kind::kBucketed, std::max(longest, power(options.tokens_max)));
  const std::int64_t texts = add_dim(b, "texts", Kind::kBucketed, power(options.sequences_max));
  const std::int64_t length = add_dim(b, "length", Kind::kBucketed, longest);
  DecoderInputs in;
  EmbedderContract& contract = in.embedder.emplace();
  CacheValues& values = in.groups.emplace_back();
  contract.pooling = read_pooling(b, otherwise);
  contract.tokens = add_input(b, in.tokens, "tokens", {tokens});
  contract.positions = add_input(b, in.positions, "positions", {tokens});
  contract.texts = add_input(b, in.sequences, "texts", {tokens});
  contract.rows = add_input(b, values.block_table, "rows", {texts, length});
  contract.last = contract.positions;
  values.positions = in.positions;
  if (!b.flag("attention.causal", causal)) {
    contract.last = add_input(b, values.positions, "last", {tokens});
  }
  if (typed) contract.types = add_input(b, in.types, "types", {tokens});
  in.rope_positions = b.reshape("positions.batch", in.positions, {1, -1});
  return in;
}

}  // namespace polaris
