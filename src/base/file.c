#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(struct buf *b, int fd, const char *path, struct err *e)
{
    char piece[65536];
    ssize_t n;

    while ((n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(e, ERR_MANIFEST, errno, "%s: cannot read", path);
        buf_add(b, piece, (size_t)n);
        if (buf_over(b))
            return err_set(e, ERR_MANIFEST, "%s: larger than the %zu bytes that are accepted here",
                           path, b->max);
    }
    return 0;
}

int buf_read_file(struct buf *b, const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_errno(e, ERR_MANIFEST, errno, "%s: cannot open", path);

    int rc = read_all(b, fd, path, e);

    close(fd);
    return rc;
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return fsync(fd);
}

/* open(2) with O_EXCL instead of mkstemp(3): the caller's mode goes through the umask. */
static int open_beside(const char *path, unsigned mode, char **ret_temporary)
{
    for (int attempt = 0; attempt < 16; attempt++) {
        uint64_t random = 0;

        if (getrandom(&random, sizeof random, 0) < 0)
            return -1;

        char *name = mem_printf("%s.%016" PRIx64 ".tmp", path, random);
        int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);

        if (fd >= 0) {
            *ret_temporary = name;
            return fd;
        }
        free(name);
        if (errno != EEXIST)
            return -1;
    }
    return -1;
}

/* The rename is only durable once the folder is written. A file system that cannot do this for
 * folders says EINVAL; the file itself is safe then. */
static int sync_folder_of(const char *path)
{
    char *copy = mem_strdup(path);
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = 0;

    if (fd >= 0) {
        rc = fsync(fd) < 0 && errno != EINVAL ? -1 : 0;
        close(fd);
    }
    free(copy);
    return rc;
}

int file_write_atomic(const char *path, const void *data, size_t len, unsigned mode, struct err *e)
{
    char *temporary = NULL;
    int fd = open_beside(path, mode, &temporary);

    if (fd < 0)
        return err_errno(e, ERR_STORE, errno, "%s: cannot create a file beside it", path);

    int rc = write_all(fd, data, len);
    int why = errno;

    if (close(fd) < 0 && rc == 0) {
        rc = -1;
        why = errno;
    }
    if (rc == 0 && rename(temporary, path) < 0) {
        rc = -1;
        why = errno;
    }
    if (rc < 0)
        unlink(temporary);
    else if (sync_folder_of(path) < 0) {
        rc = -1;
        why = errno;
    }
    free(temporary);
    return rc < 0 ? err_errno(e, ERR_STORE, why, "%s: cannot write", path) : 0;
}

int dir_make(const char *path, struct err *e)
{
    char *copy = mem_strdup(path);
    struct stat st;

    for (char *slash = strchr(copy + (copy[0] == '/'), '/'); slash;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(copy, 0700); /* what went wrong here shows in the last one */
        *slash = '/';
    }
    free(copy);
    if (mkdir(path, 0700) == 0)
        return 0;
    int why = errno;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return 0;
        why = ENOTDIR;
    }
    return err_errno(e, ERR_STORE, why, "%s: cannot make the folder", path);
}
