/* Makes one system call of a program fail: preloaded, it stands between the program and the C library.
 *
 * FAULT_LOG     a file that gets a line `number call path` for each call, or for the one that failed
 * FAULT_CALL    the number of the call that fails, counted from 1; without it, none does
 * FAULT_KIND    an errno value; `short`: half of the bytes are read or written; `none`: no byte is;
 *               `kill`: the process ends before the call, as by SIGKILL
 * FAULT_STICKY  1: all later calls of the same name fail in the same way
 *
 * What the program says on its standard error is left alone. Calls that the C library makes by itself
 * are not seen, and so not counted.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { NO_FAULT = 0, SHORT = -1, NONE = -2, KILL = -3 };

static atomic_long calls;
static atomic_int broken;
static long chosen;
static int kind, sticky, log_file = -1;
static char broken_call[32];

__attribute__((constructor)) static void begin(void) {
  const char *call = getenv("FAULT_CALL"), *wanted = getenv("FAULT_KIND"), *log = getenv("FAULT_LOG");
  chosen = call ? atol(call) : 0;
  sticky = getenv("FAULT_STICKY") != NULL;
  if (wanted && !strcmp(wanted, "short")) kind = SHORT;
  else if (wanted && !strcmp(wanted, "none")) kind = NONE;
  else if (wanted && !strcmp(wanted, "kill")) kind = KILL;
  else kind = wanted ? atoi(wanted) : 0;
  calls = 0;
  if (log) {
    int opened = syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    /* Out of the way of the descriptors that the program expects. */
    log_file = syscall(SYS_fcntl, opened, F_DUPFD_CLOEXEC, 900);
    syscall(SYS_close, opened);
  }
}

/* What is to become of a call: NO_FAULT, SHORT, NONE or an errno value. */
static int fault(const char *call, const char *path) {
  long number = atomic_fetch_add(&calls, 1) + 1;
  int fails = number == chosen;
  if (sticky && atomic_load(&broken) && !strcmp(call, broken_call)) fails = 1;
  if (fails && sticky && number == chosen) {
    snprintf(broken_call, sizeof broken_call, "%s", call);
    atomic_store(&broken, 1);
  }
  if (log_file >= 0 && (number == chosen || chosen == 0)) {
    char line[4200];
    int length = snprintf(line, sizeof line, "%ld %s %s\n", number, call, path ? path : "");
    if (length > 0) syscall(SYS_write, log_file, line, (size_t)length);
  }
  if (fails && kind == KILL) kill(getpid(), SIGKILL);
  return fails ? kind : NO_FAULT;
}

static int fault_at(const char *call, int descriptor) {
  char link[32], path[4096];
  if (descriptor == 1) return fault(call, "standard output");
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  long length = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  path[length > 0 ? length : 0] = 0;
  return fault(call, path);
}

#define REAL(name) \
  static __typeof__(&name) real; \
  if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define FAIL_WITH(code, result) \
  do { \
    int code_ = (code); \
    if (code_ > 0) { \
      errno = code_; \
      return result; \
    } \
  } while (0)

#define ON_PATH(type, name, failure, parameters, path, arguments) \
  type name parameters { \
    REAL(name); \
    FAIL_WITH(fault(#name, path), failure); \
    return real arguments; \
  }

#define ON_DESCRIPTOR(type, name, failure, parameters, descriptor, arguments) \
  type name parameters { \
    REAL(name); \
    FAIL_WITH(fault_at(#name, descriptor), failure); \
    return real arguments; \
  }

#define TRANSFER(name, buffer_type, parameters, descriptor, buffer, count, arguments) \
  ssize_t name parameters { \
    REAL(name); \
    if (descriptor != 2) { \
      int what = fault_at(#name, descriptor); \
      FAIL_WITH(what, -1); \
      if (what == NONE) return 0; \
      if (what == SHORT && count > 1) count /= 2; \
    } \
    return real arguments; \
  }

int open(const char *path, int flags, ...) {
  REAL(open);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  int is_unnamed = (flags & O_TMPFILE) == O_TMPFILE;
  const char *call = is_unnamed ? "open-unnamed" : flags & O_CREAT ? "open-new" : "open";
  FAIL_WITH(fault(call, path), -1);
  return real(path, flags, mode);
}

int fcntl(int descriptor, int command, ...) {
  REAL(fcntl);
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  FAIL_WITH(fault_at("fcntl", descriptor), -1);
  return real(descriptor, command, argument);
}

/* To map a file is another call than to ask for memory: a file that shrinks would end the process. */
void *mmap(void *at, size_t size, int protection, int flags, int file, off_t offset) {
  REAL(mmap);
  FAIL_WITH(flags & MAP_ANONYMOUS ? fault("mmap", "") : fault_at("mmap-file", file), MAP_FAILED);
  return real(at, size, protection, flags, file, offset);
}

/* A descriptor is closed whatever close says. */
int close(int descriptor) {
  REAL(close);
  int what = fault_at("close", descriptor);
  int result = real(descriptor);
  FAIL_WITH(what, -1);
  return result;
}

int pthread_create(
    pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
  REAL(pthread_create);
  int what = fault("pthread_create", "");
  return what > 0 ? what : real(thread, attributes, start, argument);
}

TRANSFER(pread, void *, (int file, void *to, size_t count, off_t at), file, to, count,
         (file, to, count, at))
TRANSFER(pwrite, const void *, (int file, const void *from, size_t count, off_t at), file, from, count,
         (file, from, count, at))
TRANSFER(write, const void *, (int file, const void *from, size_t count), file, from, count,
         (file, from, count))
TRANSFER(read, void *, (int file, void *to, size_t count), file, to, count, (file, to, count))

ON_PATH(int, stat, -1, (const char *path, struct stat *status), path, (path, status))
ON_PATH(int, lstat, -1, (const char *path, struct stat *status), path, (path, status))
ON_PATH(int, statvfs, -1, (const char *path, struct statvfs *status), path, (path, status))
ON_PATH(int, mkdir, -1, (const char *path, mode_t mode), path, (path, mode))
ON_PATH(int, rmdir, -1, (const char *path), path, (path))
ON_PATH(int, unlink, -1, (const char *path), path, (path))
ON_PATH(int, link, -1, (const char *from, const char *to), to, (from, to))
ON_PATH(int, rename, -1, (const char *from, const char *to), to, (from, to))
ON_PATH(int, linkat, -1, (int a, const char *from, int b, const char *to, int flags), to,
        (a, from, b, to, flags))
ON_PATH(int, renameat2, -1, (int a, const char *from, int b, const char *to, unsigned flags), to,
        (a, from, b, to, flags))
ON_PATH(DIR *, opendir, NULL, (const char *path), path, (path))
ON_PATH(struct dirent *, readdir, NULL, (DIR *stream), "", (stream))
ON_PATH(char *, getcwd, NULL, (char *buffer, size_t size), ".", (buffer, size))
ON_PATH(int, nanosleep, -1, (const struct timespec *time, struct timespec *rest), "", (time, rest))

ON_DESCRIPTOR(int, fstat, -1, (int file, struct stat *status), file, (file, status))
ON_DESCRIPTOR(int, fallocate, -1, (int file, int mode, off_t at, off_t count), file,
              (file, mode, at, count))
ON_DESCRIPTOR(int, ftruncate, -1, (int file, off_t count), file, (file, count))
ON_DESCRIPTOR(int, fdatasync, -1, (int file), file, (file))
ON_DESCRIPTOR(int, fsync, -1, (int file), file, (file))
ON_DESCRIPTOR(int, syncfs, -1, (int file), file, (file))
ON_DESCRIPTOR(int, flock, -1, (int file, int operation), file, (file, operation))
