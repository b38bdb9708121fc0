// Linux calls that glibc declares only under _GNU_SOURCE, which Swift's Glibc module does not set.
// No system header is included: its types would count as this module's and no longer as Glibc's.

// `long` is off_t and pid_t is int on every 64-bit Linux.
extern int fallocate(int descriptor, int mode, long offset, long byteCount);
extern int renameat2(
    int oldDirectory, const char *oldPath, int newDirectory, const char *newPath,
    unsigned int flags);
extern int syncfs(int descriptor);
extern int sched_getaffinity(int process, unsigned long byteCount, void *set);

// include/uapi/asm-generic/fcntl.h and include/uapi/linux/fs.h. The flag of open is meant to be
// combined with O_DIRECTORY.
static const int ckptconv_O_TMPFILE = 020000000;
static const unsigned int ckptconv_RENAME_NOREPLACE = 1;
