#include <nettle/sha2.h>
#include <nettle/version.h>

// Nettle 4.0 took the number of bytes to write out of the digest functions (its NEWS).
static inline void ckptconv_sha256_digest(struct sha256_ctx *context, unsigned char *digest) {
#if NETTLE_VERSION_MAJOR >= 4
  nettle_sha256_digest(context, digest);
#else
  nettle_sha256_digest(context, SHA256_DIGEST_SIZE, digest);
#endif
}
