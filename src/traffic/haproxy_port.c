#include "traffic/haproxy_inner.h"

#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * Can HAProxy listen there? Asked before it starts or reloads: its own attempt at a port that is
 * taken costs the running one two seconds without a new connection, and it cannot say who has it.
 * See proc_net_tcp(5) and proc_pid_fd(5).
 */

/* The inode of the socket that listens on `port`; 0 = unknown. */
static unsigned long listener_inode(const char *table, unsigned port)
{
    FILE *f = fopen(table, "re");
    char line[512];
    unsigned long found = 0;

    while (f && !found && fgets(line, sizeof line, f)) {
        unsigned local_port, state;
        unsigned long inode;

        /* NOLINTNEXTLINE(cert-err34-c): numbers that the kernel wrote */
        if (sscanf(line, " %*d: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*d %*d %lu",
                   &local_port, &state, &inode) == 3 &&
            local_port == port && state == 0x0a)
            found = inode;
    }
    if (f)
        fclose(f);
    return found;
}

static bool has_socket(const char *pid, unsigned long inode)
{
    char folder[64], path[400], want[64], link[64];
    bool found = false;
    struct dirent *d;
    DIR *dir;

    snprintf(folder, sizeof folder, "/proc/%.20s/fd", pid);
    snprintf(want, sizeof want, "socket:[%lu]", inode);
    dir = opendir(folder);
    while (dir && !found && (d = readdir(dir))) {
        ssize_t n;

        snprintf(path, sizeof path, "%s/%s", folder, d->d_name);
        n = readlink(path, link, sizeof link - 1);
        link[n > 0 ? n : 0] = 0;
        found = !strcmp(link, want);
    }
    if (dir)
        closedir(dir);
    return found;
}

/* "nginx (pid 812)", as far as we may look. */
static void who_has(unsigned port, char *ret, size_t size)
{
    unsigned long inode = listener_inode("/proc/net/tcp", port);
    struct dirent *d;
    DIR *proc;

    snprintf(ret, size, "another program");
    if (!inode)
        inode = listener_inode("/proc/net/tcp6", port);
    proc = inode ? opendir("/proc") : NULL;
    while (proc && (d = readdir(proc))) {
        char path[64], name[64] = "";
        FILE *f;

        if (strspn(d->d_name, "0123456789") != strlen(d->d_name) || !has_socket(d->d_name, inode))
            continue;
        snprintf(path, sizeof path, "/proc/%.20s/comm", d->d_name);
        f = fopen(path, "re");
        if (f && fgets(name, sizeof name, f))
            name[strcspn(name, "\n")] = 0;
        if (f)
            fclose(f);
        snprintf(ret, size, "%s (pid %.20s)", *name ? name : "another program", d->d_name);
        break;
    }
    if (proc)
        closedir(proc);
}

/* "[::1]:8080" -> "::1" and "8080"; no host: all addresses */
static bool take_apart(const char *address, char host[128], char port[8])
{
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;

    if (!colon || n >= 128)
        return false;
    if (n > 1 && address[0] == '[' && address[n - 1] == ']')
        snprintf(host, 128, "%.*s", (int)n - 2, address + 1);
    else
        snprintf(host, 128, "%.*s", (int)n, address);
    if (!strcmp(host, "*"))
        host[0] = 0;
    return text_copy(port, 8, colon + 1);
}

int haproxy_port_check(const char *address, struct err *e)
{
    struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
                             .ai_socktype = SOCK_STREAM,
                             .ai_family = AF_UNSPEC},
                    *found;
    char host[128], port[8], who[100];
    int fd, on = 1, code = 0;

    if (!take_apart(address, host, port))
        return err_set(e, ERR_USAGE, "%s is no address to listen on: write 127.0.0.1:8080",
                       address);
    if (!*host)
        hints.ai_family = AF_INET;
    if (getaddrinfo(*host ? host : NULL, port, &hints, &found) != 0)
        return 0; /* a name: HAProxy looks it up, and says what is wrong with it */
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, 1) != 0)
        code = errno;
    if (fd >= 0)
        close(fd);
    freeaddrinfo(found);
    if (code == 0)
        return 0;
    if (code != EADDRINUSE)
        return err_errno(e, ERR_NO, code, "cannot listen on %s%s", address,
                         code == EACCES ? " (ports below 1024 are for root)" : "");
    who_has((unsigned)strtoul(port, NULL, 10), who, sizeof who);
    err_set(e, ERR_NO, "%s has %s already: end that, or choose another port for the route", who,
            address);
    e->code = code;
    return -1;
}
