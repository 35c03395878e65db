
J4¼ßDÈ;XÆ¯ô>"B™BFD;äCNÂ@eEÀ