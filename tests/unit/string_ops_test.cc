// Strings: what moves them, casts, and the ops of their own.
#include <doctest/doctest.h>

#include <array>
#include <set>
#include <string>
#include <vector>

#include "ir/evaluate.h"
#include "ir/op_set.h"
#include "ir/text/text.h"
#include "support/text_model.h"
#include "support/value_case.h"
#include "tensor/values.h"

namespace polaris::test {
namespace {

constexpr std::string_view kMoves = R"(graph {
  input %x : string[2, 3]
  input %c : bool[2, 3]
  const %flat : int64[1] = [-1]
  const %one : int64[1] = [1]
  const %two : int64[1] = [2]
  const %zero : int64[1] = [0]
  const %big : int64[3] = [2, 2, 3]
  const %repeats : int64[2] = [1, 2]
  const %pads : int64[4] = [0, 1, 0, 0]
  const %at : int64[2] = [1, 0]
  const %pairs : int64[2, 2] = [1, 2, 0, 0]
  const %elements : int64[1, 3] = [1, 0, 1]
  const %other : string[] = "z"
  const %four : int64[4] = [1, 4, 1, 3]
  %reshape = Reshape(%x, %flat)
  %gather = Gather(%x, %at)
  %gather_nd = GatherND(%x, %pairs)
  %gather_elements = GatherElements(%x, %elements)
  %slice = Slice(%x, %one, %two, %one)
  %concat = Concat(%x, %x, axis = 1)
  %transpose = Transpose(%x)
  %unsqueeze = Unsqueeze(%x, %zero)
  %squeeze = Squeeze(%unsqueeze)
  %expand = Expand(%x, %big)
  %tile = Tile(%x, %repeats)
  %pad = Pad(%x, %pads)
  %pad_other = Pad(%x, %pads, %other)
  %where = Where(%c, %x, %other)
  %split:0, %split:1 = Split(%x, num_outputs = 2)
  %flatten = Flatten(%x)
  %shape = Shape(%x)
  %size = Size(%x)
  %non_zero = NonZero(%x)
  %equal = Equal(%x, %other)
  %identity = Identity(%x)
  %cast = Cast(%x, to = string)
  %channels = Reshape(%concat, %four)
  %depth = DepthToSpace(%channels, blocksize = 2)
  %space = SpaceToDepth(%depth, blocksize = 2)
  %triangle = Trilu(%x)
  const %lengths : int64[3] = [2, 1, 2]
  %backwards = ReverseSequence(%x, %lengths)
  const %sizes : int64[2] = [4, 1]
  %middle = CenterCropPad(%x, %sizes)
  output %reshape
  output %gather
  output %gather_nd
  output %gather_elements
  output %slice
  output %concat
  output %transpose
  output %squeeze
  output %expand
  output %tile
  output %pad
  output %pad_other
  output %where
  output %split:1
  output %flatten
  output %shape
  output %size
  output %non_zero
  output %equal
  output %identity
  output %cast
  output %depth
  output %space
  output %triangle
  output %backwards
  output %middle
})";

TEST_CASE("strings: every op that moves elements moves them") {
  check_values(kMoves,
               {R"([["a","","z"],["a","é","d d"]])", "[[true,false,true],[false,true,true]]"},
               {R"(["a","","z","a","é","d d"])",
                R"([["a","é","d d"],["a","","z"]])",
                R"(["d d","a"])",
                R"([["a","","d d"]])",
                R"([[""],["é"]])",
                R"([["a","","z","a","","z"],["a","é","d d","a","é","d d"]])",
                R"([["a","a"],["","é"],["z","d d"]])",
                R"([["a","","z"],["a","é","d d"]])",
                R"([[["a","","z"],["a","é","d d"]],[["a","","z"],["a","é","d d"]]])",
                R"([["a","","z","a","","z"],["a","é","d d","a","é","d d"]])",
                R"([["","a","","z"],["","a","é","d d"]])",
                R"([["z","a","","z"],["z","a","é","d d"]])",
                R"([["a","z","z"],["z","é","d d"]])",
                R"([["a","é","d d"]])",
                R"([["a","","z"],["a","é","d d"]])",
                "[2,3]",
                "6",
                "[[0,0,1,1,1],[0,2,0,1,2]]",
                "[[false,false,true],[false,false,false]]",
                R"([["a","","z"],["a","é","d d"]])",
                R"([["a","","z"],["a","é","d d"]])",
                R"([[[["a","a","","","z","z"],["a","a","é","é","d d","d d"]]]])",
                R"([[[["a","","z"]],[["a","","z"]],[["a","é","d d"]],[["a","é","d d"]]]])",
                R"([["a","","z"],["","é","d d"]])",
                R"([["a","","d d"],["a","é","z"]])",
                R"([[""],[""],["é"],[""]])"});
  // An op that moves elements and is not swept here is noticed.
  const Graph graph = graph_from_text(kMoves);
  std::set<std::string_view> swept;
  for (NodeId id : graph.order()) swept.insert(graph.node(id).op->name);
  for (const OpDef* op : OpSet::builtin().all()) {
    const bool known = op->size_rule != SizeRule::kMove || swept.contains(op->name);
    CHECK_MESSAGE(known, op->name);
  }
}

TEST_CASE("strings: ops that pick some of them pick them") {
  check_values(R"(graph {
    input %x : string[4]
    input %c : bool[4]
    %y, %first, %which, %count = Unique(%x)
    %some = Compress(%x, %c, axis = 0)
    const %depth : int64[] = 3
    const %hot : int64[2] = [1, 0]
    const %words : string[2] = ["off", "on"]
    %named = OneHot(%hot, %depth, %words)
    const %scale : float32[1] = [1.5]
    %longer = Resize(%x, _, %scale, nearest_mode = "floor")
    output %y
    output %first
    output %which
    output %count
    output %some
    output %named
    output %longer
  })",
               {R"(["b","a","b","c"])", "[true,false,false,true]"},
               {R"(["a","b","c"])", "[1,0,3]", "[1,0,1,2]", "[1,2,1]", R"(["b","c"])",
                R"([["off","on","off"],["on","off","off"]])", R"(["b","b","a","a","b","c"])"});
}

TEST_CASE("strings: loops scan, stack and carry them") {
  check_values(R"(graph {
    input %x : string[2, 2]
    input %first : string[]
    %last, %rows = Scan(%first, %x, num_scan_inputs = 1) graph {
      input %before : string[]
      input %row : string[2]
      const %zero : int64[] = 0
      %head = Gather(%row, %zero)
      %after = StringConcat(%before, %head)
      %out = StringConcat(%row, %before)
      output %after
      output %out
    }
    output %last
    output %rows
  })",
               {R"([["a","b"],["c","d"]])", R"("-")"},
               {R"("-ac")", R"([["a-","b-"],["c-a","d-a"]])"});
}

TEST_CASE("strings and numbers: Cast both ways") {
  check_values(R"(graph {
    input %f : float32[8]
    input %d : float64[2]
    input %h : float16[2]
    input %i : int8[2]
    input %u : uint64[1]
    input %b : bool[2]
    %sf = Cast(%f, to = string)
    %sd = Cast(%d, to = string)
    %sh = Cast(%h, to = string)
    %si = Cast(%i, to = string)
    %su = Cast(%u, to = string)
    %sb = CastLike(%b, %sf)
    output %sf
    output %sd
    output %sh
    output %si
    output %su
    output %sb
  })",
               {R"([0.1, -3, 314.15926, 1e-5, 1e16, "nan", "-inf", 16777216])", "[0.1, 1e15]",
                "[0.1, 65504]", "[-128, 7]", "[18446744073709551615]", "[true, false]"},
               {R"(["0.1","-3.0","314.15927","1e-05","1e+16","nan","-inf","16777216.0"])",
                R"(["0.1","1000000000000000.0"])", R"(["0.1","65500.0"])", R"(["-128","7"])",
                R"(["18446744073709551615"])", R"(["True","False"])"});
  check_values(R"(graph {
    input %f : string[7]
    input %i : string[4]
    input %u : string[1]
    input %b : string[4]
    %nf = Cast(%f, to = float32)
    %ni = Cast(%i, to = int32)
    %nu = Cast(%u, to = uint64)
    %nb = Cast(%b, to = bool)
    %n4 = Cast(%i, to = float16)
    output %nf
    output %ni
    output %nu
    output %nb
    output %n4
  })",
               {R"(["3.14", "1E8", " -1e-5 ", "+INF", "-inf", "NaN", "+2"])",
                R"(["-7", "100.5", "+3", "2e2"])", R"(["18446744073709551615"])",
                R"(["0", "1", "TRUE", "false"])"},
               {R"([3.14,1e+08,-1e-05,"inf","-inf","nan",2])", "[-7,100,3,200]",
                "[18446744073709551615]", "[false,true,true,false]", "[-7,100.5,3,200]"});
  for (const std::string bad : {"hello", "", "300", "+-1", "1 2", "nan", "1e30"}) {
    check_values_fail("graph {\ninput %x : string[]\n%y = Cast(%x, to = int8)\noutput %y\n}",
                      {"\"" + bad + "\""}, "element 0, got '" + bad + "', wanted a number of int8");
  }
}

TEST_CASE("strings: StringConcat broadcasts") {
  check_values(
      "graph {\ninput %a : string[2, 1]\ninput %b : string[3]\n%c = StringConcat(%a, %b)\n"
      "output %c\n}",
      {R"([["x"],[""]])", R"(["1","","é"])"}, {R"([["x1","x","xé"],["1","","é"]])"});
}

TEST_CASE("strings: StringSplit at a delimiter, at white space, and not too often") {
  const auto split = [](const std::string& attributes, const std::string& x, const std::string& y,
                        const std::string& z) {
    check_values("graph {\ninput %x : string[?]\n%y, %z = StringSplit(%x" + attributes +
                     ")\noutput %y\noutput %z\n}",
                 {x}, {y, z});
  };
  split("", R"(["a b"," c\t d\n ",""])", R"([["a","b"],["c","d"],["",""]])", "[2,2,0]");
  split(", delimiter = \"\", maxsplit = 1", R"(["  a  b  c  "])", R"([["a","b  c  "]])", "[2]");
  split(", delimiter = \"--\"", R"(["a--b--","","x"])", R"([["a","b",""],["","",""],["x","",""]])",
        "[3,1,1]");
  split(", delimiter = \"-\", maxsplit = 1", R"(["a-b-c"])", R"([["a","b-c"]])", "[2]");
  split(", delimiter = \"-\", maxsplit = 0", R"(["a-b-c"])", R"([["a-b-c"]])", "[1]");
  split("", R"([""])", R"([[]])", "[0]");
  split("", "[]", "[]", "[]");
}

TEST_CASE("strings: RegexFullMatch") {
  const auto match = [](const std::string& pattern, const std::string& x, const std::string& y) {
    check_values("graph {\ninput %x : string[?]\n%y = RegexFullMatch(%x, pattern = " + pattern +
                     ")\noutput %y\n}",
                 {x}, {y});
  };
  match(R"("www\\.[\\w.-]+\\.\\bcom\\b")", R"(["www.a.com","www.a.comx",""])",
        "[true,false,false]");
  match(R"("a*")", R"(["","aa","ab"])", "[true,true,false]");
  match("\"\"", R"(["","a"])", "[true,false]");
  match(R"("a|ab")", R"(["ab","a","abb"])", "[true,true,false]");
  match(R"("\\w+")", R"(["abc_1","é"])", "[true,false]");
  match(R"("[[:upper:]]+[^[:digit:]x]")", R"(["AB-","AB1","ABx"])", "[true,false,false]");
  match(R"("(?i:ab)c")", R"(["ABc","ABC"])", "[true,false]");
  match(R"("a.b")", R"(["aéb","a\nb"])", "[true,false]");
  match(R"("^a$")", R"(["a","a\n"])", "[true,false]");
  match(R"("x^\ny")", R"(["x\ny"])", "[false]");
  for (const std::string pattern : {"(", "a**", "[z-a]", "(?=a)", "a++", "(?<n>a)", "\\\\1"}) {
    check_values_fail("graph {\ninput %x : string[]\n%y = RegexFullMatch(%x, pattern = \"" +
                          pattern + "\")\noutput %y\n}",
                      {"\"a\""}, "[regex] pattern");
  }
  check_values_fail(
      "graph {\ninput %x : string[]\n%y = RegexFullMatch(%x, pattern = "
      "\"(a|aa)+b\")\noutput %y\n}",
      {"\"" + std::string(200, 'a') + "\""}, "takes too long");
}

TEST_CASE("strings: StringNormalizer") {
  const auto normalize = [](const std::string& attributes, const std::string& x,
                            const std::string& y) {
    const bool row = x.starts_with("[[");
    check_values("graph {\ninput %x : string[" + std::string(row ? "1, ?" : "?") +
                     "]\n%y = StringNormalizer(%x" + attributes + ")\noutput %y\n}",
                 {x}, {y});
  };
  normalize("", R"(["Mon","tue"])", R"(["Mon","tue"])");
  normalize(", case_change_action = \"UPPER\"", R"([["é","1"]])", R"([["É","1"]])");
  normalize(", case_change_action = \"LOWER\", stopwords = [\"MON\"]", R"(["Mon","TUE"])",
            R"(["tue"])");
  normalize(", is_case_sensitive = true, stopwords = [\"MON\"]", R"(["Mon","MON"])", R"(["Mon"])");
  normalize(", stopwords = [\"a\"]", R"(["a","A"])", R"([""])");
  normalize(", stopwords = [\"a\"]", R"([["a"]])", R"([[""]])");
}

TEST_CASE("strings, sequences and optionals: every op takes them or refuses them by name") {
  const Tensor text = strings({2, 3}, {"a", "", "b", "c", "d", "e"});
  const Tensor one = *Tensor::from<std::int64_t>(DType::kI64, {1}, std::array{std::int64_t{0}});
  const Tensor numbers = *Tensor::allocate(DType::kF32, {2, 3});
  const Tensor values[] = {
      text, *make_sequence(text.type(), {text}), *make_sequence(numbers.type(), {numbers, numbers}),
      *make_optional(text.type(), std::nullopt), *make_optional(numbers.type(), numbers)};
  int taken = 0;
  int refused = 0;
  for (const OpDef* op : OpSet::builtin().all()) {
    if (!op->is_defined()) continue;
    CAPTURE(op_full_name(*op));
    const auto attrs = op->make_attrs != nullptr ? op->make_attrs() : std::make_unique<NoAttrs>();
    for (const Tensor& value : values) {
      for (std::size_t count = 1; count <= std::min<std::size_t>(op->inputs.size() + 1, 4);
           ++count) {
        for (std::size_t place = 0; place < count; ++place) {
          std::vector<const Tensor*> inputs(count, &one);
          inputs[place] = &value;
          auto out = evaluate_node(*op, *attrs, "n", inputs, 1, 1 << 20);
          ++(out ? taken : refused);
          if (!out) CHECK(out.error().message().find("[") != std::string::npos);
        }
      }
    }
  }
  CHECK(taken > 30);
  CHECK(refused > 1000);
}

TEST_CASE("strings that an attribute asks for are refused where the op makes numbers") {
  const auto graph = parse_graph(
      "graph {\ninput %n : int64[1]\n%y = ConstantOfShape(%n, value = tensor string[1] [\"a\"])\n"
      "output %y\n}",
      OpSet::builtin());
  REQUIRE_FALSE(graph.ok());
  CHECK(graph.error().message().find("wanted a tensor of numbers") != std::string::npos);
}

TEST_CASE("tensors of strings are made of their bytes only where these are such") {
  const Tensor x = strings({2}, {"ab", "c"});
  CHECK(Tensor::from_bytes(x.type(), x.bytes()).ok());
  for (std::size_t cut = 0; cut < x.bytes().size(); ++cut) {
    CHECK_FALSE(Tensor::from_bytes(x.type(), x.bytes().first(cut)).ok());
  }
  for (std::size_t i = 0; i < 24; ++i) {
    std::vector<std::byte> bytes(x.bytes().begin(), x.bytes().end());
    bytes[i] = std::byte{0xFF};
    const auto got = Tensor::from_bytes(x.type(), bytes);
    CHECK_FALSE(got.ok());
  }
  const auto empty = Tensor::allocate(DType::kString, {3});
  REQUIRE(empty.ok());
  CHECK(empty->string(2).empty());
  CHECK_FALSE(Tensor::allocate(DType::kString, {INT64_MAX}).ok());
  CHECK_FALSE(Tensor::strings({3}, std::vector<std::string_view>{"a"}).ok());
}

}  // namespace
}  // namespace polaris::test
