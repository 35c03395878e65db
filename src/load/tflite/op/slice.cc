// Parts of tensors.
#include <limits>
#include <optional>
#include <utility>

#include "load/tflite/importer.h"

namespace polaris::tflite {
namespace {

constexpr std::int64_t kFar = INT64_MAX;
constexpr std::int64_t kAxis0 = 0;

/// Numbers of an input, each as a list of one: a constant, or a part of what is computed.
class Places {
 public:
  Places(OperatorImport& o, std::size_t i)
      : builder_(o.builder()), known_(o.ints(i)), all_(o.index(i)) {}

  std::int64_t count() const { return builder_.dim(all_, 0); }
  std::optional<std::int64_t> known(std::int64_t i) const {
    if (!known_ || std::cmp_greater_equal(i, known_->size())) return std::nullopt;
    return (*known_)[static_cast<std::size_t>(i)];
  }
  ValueId at(std::int64_t i) const {
    if (const auto number = known(i)) return builder_.ints({*number});
    return builder_.slice(all_, 0, i, i + 1);
  }

 private:
  Builder& builder_;
  std::optional<std::vector<std::int64_t>> known_;
  ValueId all_;
};

bool bit(std::int64_t mask, std::int64_t i) { return i < 31 && ((mask >> i) & 1) != 0; }

}  // namespace

// A size of -1 is what is left.
void slice(OperatorImport& o) {
  Builder& b = o.builder();
  const auto sizes = o.ints(2);
  const auto begins = o.ints(1);
  const ValueId begin = o.index(1);
  ValueId end;
  if (sizes && begins && sizes->size() == begins->size()) {
    std::vector<std::int64_t> ends;
    for (std::size_t i = 0; i < sizes->size(); ++i) {
      const std::int64_t first = (*begins)[i];
      if (first < 0 || (*sizes)[i] < -1) return o.fail("begin or size, wanted 0 or more");
      ends.push_back((*sizes)[i] < 0 || first > kFar - (*sizes)[i] ? kFar : first + (*sizes)[i]);
    }
    end = b.ints(ends);
  } else {
    const ValueId size = o.index(2);
    end = b.add("Where", {b.add("Less", {size, b.int_scalar(0)}), b.int_scalar(kFar),
                          b.add("Add", {begin, size})});
  }
  o.give_moved(0, b.add("Slice", {o.moved(0), begin, end}));
}

namespace {

/// A STRIDED_SLICE in steps: cuts along axes, axes of which one index stays, new axes.
class StridedSlice {
 public:
  explicit StridedSlice(OperatorImport& o)
      : o_(o), b_(o.builder()), begin_(o, 1), end_(o, 2), stride_(o, 3), rank_(o.rank(0)) {}

  void run() {
    const std::int64_t specs = begin_.count();
    if (!o_.ok()) return;
    if (rank_ < 0 || specs < 0) return o_.unsupported("ranks are not known");
    if (specs > kMaxRank + rank_) return o_.fail("places, got " + std::to_string(specs));
    read(specs);
    if (!o_.ok()) return;
    ValueId value = o_.moved(0);
    if (!axes_.empty()) {
      value =
          b_.add("Slice", {value, joined(starts_), joined(ends_), b_.ints(axes_), b_.ints(steps_)});
    }
    for (auto at = picked_.rbegin(); at != picked_.rend(); ++at) {
      value = b_.add("Gather", {value, at->second}, {{"axis", at->first}});
    }
    if (!fresh_.empty()) value = b_.add("Unsqueeze", {value, b_.ints(fresh_)});
    o_.give_moved(0, value);
  }

 private:
  void read(std::int64_t specs) {
    const std::int64_t ellipsis = o_.option(2);
    const std::int64_t added = o_.option(3);
    std::int64_t taken = 0;  // axes of the input that specs speak of
    for (std::int64_t i = 0; i < specs; ++i) {
      if (!bit(ellipsis, i) && !bit(added, i)) ++taken;
    }
    std::int64_t axis = 0;
    std::int64_t out = 0;
    for (std::int64_t i = 0; i < specs; ++i) {
      if (bit(ellipsis, i)) {
        axis += rank_ - taken;
        out += rank_ - taken;
      } else if (bit(added, i)) {
        fresh_.push_back(out++);
      } else if (axis < 0 || axis >= rank_) {
        return o_.fail("places, got more than the rank, " + std::to_string(rank_));
      } else {
        out += cut(i, axis++) ? 1 : 0;
      }
    }
  }

  /// Whether the axis stays.
  bool cut(std::int64_t i, std::int64_t axis) {
    if (bit(o_.option(4), i)) {
      picked_.emplace_back(axis, b_.reshape(begin_.at(i), std::initializer_list<std::int64_t>{}));
      return false;
    }
    const auto step = stride_.known(i);
    if (!step || *step == 0) {
      o_.unsupported("stride, wanted a constant that is not 0");
      return true;
    }
    const bool from_edge = bit(o_.option(0), i);
    const bool to_edge = bit(o_.option(1), i);
    if (from_edge && to_edge && *step == 1) return true;
    const std::int64_t first = *step > 0 ? 0 : kFar;
    const std::int64_t last = *step > 0 ? kFar : INT64_MIN;
    axes_.push_back(axis);
    steps_.push_back(*step);
    starts_.push_back(from_edge ? b_.ints({first}) : begin_.at(i));
    const ValueId end =
        o_.flag(5) && !to_edge ? b_.add("Add", {begin_.at(i), end_.at(i)}) : end_.at(i);
    ends_.push_back(to_edge ? b_.ints({last}) : end);
    return true;
  }

  ValueId joined(const std::vector<ValueId>& parts) {
    std::vector<std::int64_t> known;
    for (const ValueId part : parts) {
      const Tensor* data = b_.data(part);
      if (data == nullptr) return b_.add("Concat", parts, {{"axis", kAxis0}});
      known.push_back(element_as_i64(*data, 0));
    }
    return b_.ints(known);
  }

  OperatorImport& o_;
  Builder& b_;
  Places begin_;
  Places end_;
  Places stride_;
  std::int64_t rank_;
  std::vector<std::int64_t> axes_;
  std::vector<std::int64_t> steps_;
  std::vector<ValueId> starts_;
  std::vector<ValueId> ends_;
  std::vector<std::pair<std::int64_t, ValueId>> picked_;  // axis of the input, the index
  std::vector<std::int64_t> fresh_;                       // axes of the output
};

}  // namespace

void strided_slice(OperatorImport& o) { StridedSlice(o).run(); }

// The update is padded to the whole; a mask padded likewise says where it stands.
void dynamic_update_slice(OperatorImport& o) {
  Builder& b = o.builder();
  const ValueId x = o.moved(0);
  const ValueId update = o.moved(1);
  const ValueId room = b.add("Sub", {b.add("Shape", {x}), b.add("Shape", {update})});
  const ValueId zero = b.int_scalar(0);
  const ValueId start = b.add("Min", {b.add("Max", {o.index(2), zero}), room});
  const ValueId pads = b.add("Concat", {start, b.add("Sub", {room, start})}, {{"axis", kAxis0}});
  const ValueId ones = b.add("Expand", {b.number(1, DType::kI32), b.add("Shape", {update})});
  const ValueId mask = b.cast(b.add("Pad", {ones, pads}), DType::kBool);
  o.give_moved(0, b.add("Where", {mask, b.add("Pad", {update, pads}), x}));
}

}  // namespace polaris::tflite
