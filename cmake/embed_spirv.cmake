# cmake -DSPV=x.spv -DOUT=x.inc -P embed_spirv.cmake: the words of a SPIR-V file as C++ literals.
file(READ ${SPV} hex HEX)
string(REGEX REPLACE "(..)(..)(..)(..)" "0x\\4\\3\\2\\1," words "${hex}")
string(REGEX REPLACE "((0x........,){8})" "\\1\n" words "${words}")
file(WRITE ${OUT} "${words}\n")
