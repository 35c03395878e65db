// Workgroups of whole 64s of threads, kThreads in a row. slice_of says which 64 a thread is in, as
// a value that the scalar unit can hold; it needs subgroups of at most 64, made of neighbours, and
// nothing but the basic subgroup built-ins, which every device has.
#extension GL_KHR_shader_subgroup_basic : require

uint slice_of(uint slices) { return slices == 1 ? 0 : gl_SubgroupID * slices / gl_NumSubgroups; }
