// Which scale an element of an affine tensor [outer, axis, inner] has.
const uint kOneScale = 0u, kAxisScale = 1u, kBlockScale = 2u;  // for all, an index, a block of them

uint affine_index(uint mode, uint i, uint axis, uint inner, uint block) {
  if (mode == kOneScale) return 0u;
  const uint along = i / inner % axis;
  if (mode == kAxisScale) return along;
  const uint blocks = (axis + block - 1u) / block;
  return (i / inner / axis * blocks + along / block) * inner + i % inner;
}
