// SHA256_Init, _Update and _Final add 16 kB to a static program. What OpenSSL 3 names instead of
// them, EVP, adds 3.6 MB, calls the same code and is no faster.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
