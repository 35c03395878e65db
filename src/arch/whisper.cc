#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arch/decoder/cross_attention.h"
#include "arch/decoder/decoder.h"
#include "arch/decoder/norm.h"
#include "arch/decoder/read_spec.h"
#include "ir/op_attrs/conv.h"
#include "ir/op_attrs/elementwise.h"
#include "ir/op_attrs/shape.h"

namespace polaris {
namespace {

constexpr std::int64_t kStride = 2;  // frames of sound that become one position
constexpr std::int64_t kTaps = 3;    // of a convolution

/// What a file calls the encoder's under a prefix, so that it is built of the decoder's parts.
class EncoderInput final : public ArchInput {
 public:
  explicit EncoderInput(const ArchInput& whole)
      : ArchInput(whole.ops(), whole.options()), whole_(whole) {}
  const MetadataValue* hyperparameter(std::string_view name) const override {
    return whole_.hyperparameter(under(name));
  }
  bool has_weight(std::string_view name) const override { return whole_.has_weight(under(name)); }
  Result<std::shared_ptr<const Constant>> weight(std::string_view name) const override {
    return whole_.weight(under(name));
  }

 private:
  /// Keys and values of the decoder's layers are the decoder's.
  static std::string under(std::string_view name) {
    const bool cross = name.find(".cross_attn_") != name.npos;
    return (cross ? "" : "enc.") + std::string(name);
  }
  const ArchInput& whole_;
};

class Encoder {
 public:
  Encoder(ArchBuilder& b, const DecoderSpec& decoder) : b_(b), decoder_(decoder), spec_(decoder) {
    spec_.layers = b.integer("block_count", 1, 1024);
    spec_.heads = b.integer("attention.head_count", 1, 1 << 14);
    spec_.feed_forward = b.integer("feed_forward_length", 1, 1 << 24);
    spec_.kv_heads = spec_.heads;
    spec_.head_size = spec_.width / spec_.heads;
    spec_.source_positions = 0;
    positions_ = decoder.source_positions;
  }

  Result<Graph> build() {
    b_.graph().name = kSourceEncoder;
    const std::int64_t bands = b_.weight_dim("conv1.weight", 3, 1);
    const TensorType type{DType::kF32, {positions_, kStride * bands}, {}};
    const ValueId source = b_.graph().add_input("source", type);
    const ValueId slots = b_.graph().add_input("slots", {DType::kI32, {positions_}, {}});
    ValueId x = place(front(source, bands));
    DecoderInputs in = whole_source();
    for (std::int64_t layer = 0; layer < spec_.layers && b_.ok(); ++layer) {
      x = add_decoder_layer(b_, spec_, in, {}, layer, x);
    }
    x = norm(b_, spec_, "output_norm", x, spec_.width);
    write_source(b_, decoder_, x, slots);
    if (b_.ok()) b_.graph().mark_output(x, "hidden");
    return b_.finish();
  }

 private:
  ValueId turned(const std::string& name, ValueId x) {
    auto attrs = std::make_unique<TransposeAttrs>();
    attrs->perm = {0, 2, 1};
    return b_.apply("Transpose", name, {x}, std::move(attrs));
  }

  ValueId convolved(const std::string& name, ValueId x, std::int64_t inputs, std::int64_t stride) {
    auto attrs = std::make_unique<ConvAttrs>();
    attrs->kernel_shape = {kTaps};
    attrs->pads = {kTaps / 2, kTaps / 2};
    attrs->strides = {stride};
    attrs->dilations = {1};
    const Shape shape{spec_.width, inputs, kTaps};
    const ValueId weight = b_.weight_f32(name + ".weight", shape);
    const ValueId bias = b_.weight_f32(name + ".bias", Shape{spec_.width});
    const ValueId y = b_.apply("Conv", name, {x, weight, bias}, std::move(attrs));
    return b_.apply("Gelu", name + ".gelu", {y}, std::make_unique<GeluAttrs>());
  }

  /// [positions, width] of the source, whose rows hold kStride frames each.
  ValueId front(ValueId source, std::int64_t bands) {
    ValueId x = b_.reshape("source.frames", source, {1, kStride * positions_, bands});
    x = convolved("conv1", turned("source.bands", x), bands, 1);
    x = convolved("conv2", x, spec_.width, kStride);
    return b_.reshape("conv2.rows", turned("conv2.turned", x), {positions_, spec_.width});
  }

  ValueId place(ValueId x) {
    const ValueId rows = b_.weight_f32("position_embd.weight", Shape{positions_, spec_.width});
    return b_.apply("Add", "position_embd.added", {x, rows});
  }

  ValueId all(const std::string& name, const Shape& shape, std::int64_t value) {
    const std::vector<std::int32_t> numbers(static_cast<std::size_t>(shape.elements()),
                                            static_cast<std::int32_t>(value));
    auto tensor = Tensor::from<std::int32_t>(DType::kI32, shape, numbers);
    if (!tensor) return b_.fail(tensor.error()), kNoValue;
    return b_.constant(name, tensor.take());
  }

  /// One text whose rows are one page, and whose every row sees all.
  DecoderInputs whole_source() {
    DecoderInputs in;
    if (!b_.ok()) return in;
    in.embedder.emplace();
    in.page_rows = positions_;
    in.sequences = all("sequences", Shape{positions_}, 0);
    CacheValues& values = in.groups.emplace_back();
    in.contract.groups.emplace_back();
    values.block_table = all("block_table", Shape{1, 1}, 0);
    values.positions = all("last", Shape{positions_}, positions_ - 1);
    return in;
  }

  ArchBuilder& b_;
  const DecoderSpec& decoder_;
  DecoderSpec spec_;
  std::int64_t positions_ = 0;
};

Result<ArchModel> build(const ArchInput& input) {
  ArchBuilder b("whisper", input);
  if (input.options().embed) b.fail_unsupported("a transcriber does not embed texts");
  DecoderSpec spec;
  spec.norm = NormKind::kLayer;
  spec.turned = false;
  spec.feed_forward_kind = FeedForwardKind::kGeluErf;
  spec = read_decoder(b, spec);
  spec.source_positions = b.weight_dim("enc.position_embd.weight", 2, 0);
  auto out = build_decoder(b, spec);
  if (!out) return out;
  const EncoderInput encoder_input(input);
  ArchBuilder eb("whisper", encoder_input);
  auto encoder = Encoder(eb, spec).build();
  if (!encoder) return encoder.error();
  out->others.emplace(kSourceEncoder, encoder.take());
  out->hyperparameters.emplace("source_positions", spec.source_positions);
  return out;
}

}  // namespace

extern constinit const Architecture arch_whisper{
    .name = "whisper",
    .doc = "Whisper: an encoder of log-mel frames, and a decoder that reads all of what it wrote.",
    .build = build,
};

}  // namespace polaris
