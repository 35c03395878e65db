// linear.comp where the matrix is one of many, chosen for each row of y at run time: expert after
// expert lies in w, of which this dispatch has those in [expert_begin, expert_end).
layout(constant_id = 6) const uint kWideIds = 0;  // ids are of 8 bytes
layout(set = 0, binding = 4) readonly restrict buffer Ids { int ids[]; };

// The expert of row c of y. Negative ones count from the end; what lies outside is clamped, because
// it comes from data.
uint expert_of(uint c) {
  const int id = ids[kWideIds != 0 ? 2 * c : c];
  return uint(clamp(id < 0 ? id + int(experts) : id, 0, int(experts) - 1));
}
#define GROUP_FIRST gl_WorkGroupID.y
#define GROUP(g) (chosen + min(group + (g), group_last))
#define OTHER(g) false
#define LOAD_W(type, other, name, at) type(name[at])
