#include <zlib.h>

// inflateInit2 is a macro, which Swift cannot call. Minus 15 window bits mean deflate without a
// zlib or gzip header (zlib.h, inflateInit2).
static inline int ckptconv_inflate_init_raw(z_stream *stream) {
  return inflateInit2(stream, -15);
}
