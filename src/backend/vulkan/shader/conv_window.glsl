// Words of the push constants that say how a window slides over up to three spatial dims; the host
// writes them with append_window(). Included inside the block.
uint in_d, in_h, in_w, out_d, out_h, out_w;
uint kernel_d, kernel_h, kernel_w;
int stride_d, stride_h, stride_w, pad_d, pad_h, pad_w, dilation_d, dilation_h, dilation_w;
