#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace polaris {

/// How often drafted tokens were right, the newest counting most. Of what was never tried it is
/// taken to be well: else it would never be tried.
class Acceptance {
 public:
  /// Of a draft `tested` tokens were looked at, up to the first that was wrong; `taken` were right.
  void note(std::int64_t tested, std::int64_t taken);
  /// Some of it is forgotten, so that what did not pay is tried again later.
  void fade();
  /// That the next token is right, where those before it are.
  double chance() const { return (taken_ + kFirstChance) / (tested_ + 1); }

  static constexpr double kFirstChance = 0.8;

 private:
  double tested_ = 0;
  double taken_ = 0;
};

/// A text that has a draft, as far as the plan is concerned.
struct DraftChance {
  double chance = 0;      // of each drafted token, where those before it are right
  std::int64_t most = 0;  // tokens that may be drafted
  double token_ms = 0;    // that each takes to draft
};

/// How much of what drafts offer is worth its time. Steps are timed by the count of their rows, in
/// powers of two, as they are padded. What drafts lost, against steps without, is kept within
/// kLossShare of the time that steps without would have taken, and a step in the beginning: what
/// does not pay goes off by itself, and is tried again when that share allows it.
class DraftPlan {
 public:
  /// Drafted tokens for each text, of `texts` that decode; at most `rows_max` rows in all.
  std::vector<std::int64_t> choose(std::span<const DraftChance> texts, std::int64_t rows_max) const;

  /// A step of `texts` that ran `rows` rows and brought `tokens`, in `ms` in all, of which drafting
  /// took `draft_ms`.
  struct Step {
    std::int64_t texts = 0;
    std::int64_t rows = 0;
    std::int64_t tokens = 0;
    double ms = 0;
    double draft_ms = 0;
  };
  void note(const Step& step);

  static constexpr double kLossShare = 0.02;
  static constexpr double kLossFirst = 1;          // steps without drafts
  static constexpr double kGainsKept = 16;         // the same: what gains may pay for later
  static constexpr std::int64_t kPlainEvery = 16;  // steps, that one without drafts is timed again

 private:
  static constexpr std::size_t kClasses = 16;
  static constexpr std::size_t kTimes = 8;
  /// The last times of steps of one size: their lower quarter, since some are interrupted, and that
  /// only adds.
  struct Cost {
    std::array<double, kTimes> ms{};
    std::int64_t noted = 0;  // the first makes a plan, and does not count
    void note(double value);
    double usual() const;  // 0: not known
  };
  static std::size_t class_of(std::int64_t rows);
  /// Measured, or guessed from the size below where only that is measured; 0: not known.
  double cost(std::int64_t rows) const;
  bool plain_is_new(std::int64_t texts) const;

  std::array<Cost, kClasses> costs_;
  std::array<std::int64_t, kClasses> plain_at_{};  // step that was the last without drafts
  std::int64_t steps_ = 0;
  double balance_ = kLossFirst;  // steps without drafts, in time
};

}  // namespace polaris
