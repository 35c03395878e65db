#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "ir/model.h"
#include "ir/op_set.h"

namespace polaris {

struct OnnxWriteOptions {
  /// Weights of a kibibyte and more go into a second file, PATH.data; they do anyway where the file
  /// would otherwise be larger than protobuf allows.
  bool external_data = false;
  /// Op-set of the file; 0: the first that has all that it uses, from 21 on.
  std::int64_t opset = 0;
  /// Written as producer_version.
  std::string version;
  /// Bytes written so far, and all of them.
  std::function<void(std::int64_t done, std::int64_t all)> progress;
  /// Asked while writing; true stops with the error cancelled. Empty: never.
  std::function<bool()> stop;
};

struct OnnxWriteReport {
  std::int64_t nodes = 0;  // those of bodies and functions included
  std::int64_t functions = 0;
  std::int64_t opset = 0;
  std::int64_t bytes = 0;
  std::int64_t external_bytes = 0;
  std::string external_file;  // empty: all is in one file
  /// What could not be kept as it was: weights whose blocks became floats.
  std::vector<std::string> notes;
};

/// Writes the graph as an ONNX model, ops of ours in ONNX's terms (docs/adr/0047), with what
/// `metadata` says of an ONNX file. Both files take their places when they are whole; where that
/// fails, what was there stays. Errors: unsupported (states, nodes that ONNX has no form for, an
/// op-set that is too old, all named); invalid (names that cannot be kept apart); exhausted (more
/// than protobuf holds); cancelled; io.
Result<OnnxWriteReport> write_onnx(const Graph& graph, const Metadata& metadata, const OpSet& ops,
                                   const std::string& path, const OnnxWriteOptions& options = {});

}  // namespace polaris
