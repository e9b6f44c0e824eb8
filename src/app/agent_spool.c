#include "app/agent_spool.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART ".part"
enum { BATCHES_MAX = 50000, DIGITS = 19 };

struct entry {
    uint64_t number;
    int64_t bytes;
};

struct agent_spool {
    int dir, lock;
    int64_t max, bytes, dropped;
    uint64_t next;
    struct entry *entries; /* by number; from `first` on */
    size_t first, n, size; /* n: end */
};

static void name_of(uint64_t number, char ret[32])
{
    (void)snprintf(ret, 32, "%0*llu", DIGITS, (unsigned long long)number);
}

/* --- Opening ------------------------------------------------------------------------------------
 */

static void append(struct agent_spool *s, uint64_t number, int64_t bytes)
{
    if (s->n == s->size && s->first > s->size / 2) { /* what was removed makes room */
        memmove(s->entries, s->entries + s->first, (s->n - s->first) * sizeof(*s->entries));
        s->n -= s->first;
        s->first = 0;
    } else if (s->n == s->size) {
        s->size = s->size ? 2 * s->size : 64;
        s->entries = mem_grow(s->entries, s->size, sizeof(*s->entries));
    }
    s->entries[s->n++] = (struct entry){number, bytes};
    s->bytes += bytes;
}

static int by_number(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;

    return a->number < b->number ? -1 : a->number > b->number;
}

/* A name of ours, whole; a half-written one has another end. */
static bool number_of(const char *name, uint64_t *ret)
{
    int64_t n = 0;

    if (strlen(name) != DIGITS || text_int(name, 1, INT64_MAX - 1, &n) < 0)
        return false;
    *ret = (uint64_t)n;
    return true;
}

/* What a kill left half-written. */
static void remove_part(const struct agent_spool *s, const char *name)
{
    size_t n = strlen(name);

    if (n == DIGITS + strlen(PART) && strcmp(name + DIGITS, PART) == 0)
        (void)unlinkat(s->dir, name, 0);
}

static int take_stock(struct agent_spool *s, const char *path, struct err *e)
{
    DIR *d = opendir(path);
    const struct dirent *entry;
    struct stat st;
    uint64_t number;

    if (!d)
        return err_errno(e, ERR_STORE, errno, "%s", path);
    while ((entry = readdir(d)))
        if (number_of(entry->d_name, &number) && fstatat(s->dir, entry->d_name, &st, 0) == 0)
            append(s, number, st.st_size);
        else
            remove_part(s, entry->d_name);
    (void)closedir(d);
    if (s->n > 0) {
        qsort(s->entries, s->n, sizeof(*s->entries), by_number);
        s->next = s->entries[s->n - 1].number + 1;
    }
    return 0;
}

static int take_folder(struct agent_spool *s, const char *path, struct err *e)
{
    s->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (s->dir < 0)
        return err_errno(e, ERR_STORE, errno, "%s", path);
    s->lock = openat(s->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock < 0)
        return err_errno(e, ERR_STORE, errno, "%s/lock", path);
    if (flock(s->lock, LOCK_EX | LOCK_NB) < 0)
        return err_set(e, ERR_NO,
                       "another trine agent uses the folder %s: end it, or give this one a folder "
                       "of its own with --state",
                       path);
    return take_stock(s, path, e);
}

int agent_spool_open(const char *dir, int64_t max, struct agent_spool **ret, struct err *e)
{
    struct agent_spool *s = mem_alloc(sizeof(*s));

    *s = (struct agent_spool){.dir = -1, .lock = -1, .max = max, .next = 1};
    if (dir_make(dir, e) < 0 || take_folder(s, dir, e) < 0) {
        agent_spool_close(s);
        return -1;
    }
    *ret = s;
    return 0;
}

void agent_spool_close(struct agent_spool *s)
{
    if (!s)
        return;
    if (s->lock >= 0)
        (void)close(s->lock);
    if (s->dir >= 0)
        (void)close(s->dir);
    free(s->entries);
    free(s);
}

/* --- Batches ------------------------------------------------------------------------------------
 */

static int write_whole(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

/* Under another name until all of it is there. */
static int write_file(const struct agent_spool *s, const char *name, const struct buf *b,
                      struct err *e)
{
    char part[40];
    int code, fd;

    (void)snprintf(part, sizeof(part), "%s" PART, name);
    fd = openat(s->dir, part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(e, ERR_STORE, errno, "%s", part);
    int failed = write_whole(fd, buf_str(b), b->len);
    code = errno;
    if (close(fd) < 0 && !failed) {
        failed = -1;
        code = errno;
    }
    if (!failed && renameat(s->dir, part, s->dir, name) < 0) {
        failed = -1;
        code = errno;
    }
    if (!failed)
        return 0;
    (void)unlinkat(s->dir, part, 0);
    return err_errno(e, ERR_STORE, code, "%s", name);
}

static void remove_first(struct agent_spool *s)
{
    char name[32];

    name_of(s->entries[s->first].number, name);
    (void)unlinkat(s->dir, name, 0);
    s->bytes -= s->entries[s->first++].bytes;
}

static void drop_first(struct agent_spool *s)
{
    remove_first(s);
    s->dropped++;
}

int agent_spool_add(struct agent_spool *s, const struct buf *batch, struct err *e)
{
    char name[32];

    name_of(s->next, name);
    if (write_file(s, name, batch, e) < 0)
        return -1;
    append(s, s->next++, (int64_t)batch->len);
    while (s->first < s->n && (s->bytes > s->max || s->n - s->first > BATCHES_MAX))
        drop_first(s);
    return 0;
}

static int read_file(const struct agent_spool *s, const struct entry *v, struct buf *ret)
{
    char name[32], part[4096];
    ssize_t n;

    name_of(v->number, name);
    int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    buf_clear(ret);
    while ((n = read(fd, part, sizeof(part))) > 0)
        buf_add(ret, part, (size_t)n);
    (void)close(fd);
    /* Torn by a power cut: the length is there, the end is not. */
    bool whole = ret->len > 1 && ret->data[0] == '{' && ret->data[ret->len - 1] == '}' &&
                 strlen(ret->data) == ret->len;
    return n < 0 || buf_over(ret) || !whole ? -1 : 0;
}

uint64_t agent_spool_first(struct agent_spool *s, struct buf *ret)
{
    while (s->first < s->n) {
        if (read_file(s, &s->entries[s->first], ret) == 0)
            return s->entries[s->first].number;
        drop_first(s);
    }
    return 0;
}

void agent_spool_remove(struct agent_spool *s, uint64_t number)
{
    if (s->first < s->n && s->entries[s->first].number == number)
        remove_first(s);
}

size_t agent_spool_waiting(const struct agent_spool *s)
{
    return s->n - s->first;
}

int64_t agent_spool_dropped(const struct agent_spool *s)
{
    return s->dropped;
}
