// Included by every shader. Arithmetic is fp32; 8- and 16-bit types are storage only.
#extension GL_EXT_shader_16bit_storage : require
#extension GL_EXT_shader_8bit_storage : require
#extension GL_EXT_control_flow_attributes : require

// Linear index of this workgroup in a grid that the host folded with grid_1d().
uint group_index() { return gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x; }

// n / d for n < 2^31, with the host's fast_divisor(d) in m.x (multiplier) and m.y (shift).
uint fast_div(uint n, uvec2 m) {
  uint high, low;
  umulExtended(n, m.x, high, low);
  return (high + n) >> m.y;
}
