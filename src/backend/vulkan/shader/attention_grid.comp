#version 450
// The grid of a PagedAttention whose spans differ much between tokens: {groups, spans of all
// tokens, 1}, and behind it the number of the first span of each token. One workgroup.
#extension GL_GOOGLE_include_directive : require
#include "common.glsl"

layout(local_size_x = 256) in;
layout(set = 0, binding = 0) readonly restrict buffer S { int sequences[]; };
layout(set = 0, binding = 1) readonly restrict buffer T { int positions[]; };
layout(set = 0, binding = 2) writeonly restrict buffer L { uint list[]; };
layout(push_constant) uniform P {
  uint tokens;      // at most 1024
  uint groups;      // of heads
  uint table_rows;
  uint reach;       // positions of a table row
  uint span;        // positions
};

shared uint count[1024];

void main() {
  const uint tid = gl_LocalInvocationIndex;
  for (uint t = tid; t < tokens; t += 256) {
    uint length = min(uint(max(positions[t] + 1, 0)), reach);
    if (sequences[t] < 0 || sequences[t] >= int(table_rows)) length = 0;
    count[t] = max((length + span - 1) / span, 1);
  }
  barrier();
  for (uint t = tid; t <= tokens; t += 256) {
    uint before = 0;
    for (uint i = 0; i < t; i++) before += count[i];
    list[4 + t] = before;
    if (t == tokens) {
      list[0] = groups;
      list[1] = before;
      list[2] = 1;
    }
  }
}
