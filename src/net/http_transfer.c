#include "net/http_transfer.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/http_sockets.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

enum { HEAD_MAX = 256 * 1024, REDIRECTS_MAX = 5, KEPT_MAX = 16 * 1024 };

static size_t take_body(char *data, size_t size, size_t n, void *arg)
{
    struct http_transfer *t = arg;

    buf_add(&t->body, data, size * n);
    if (!buf_over(&t->body))
        return size * n;
    err_set(&t->err, ERR_REMOTE, "%s: the reply is longer than the %zu bytes accepted", t->host,
            t->body.max);
    return 0;
}

static size_t take_head(char *data, size_t size, size_t n, void *arg)
{
    struct http_transfer *t = arg;

    /* A redirect or an interim answer (100, 103) came before this one. */
    if (size * n >= 5 && memcmp(data, "HTTP/", 5) == 0)
        buf_clear(&t->head);
    buf_add(&t->head, data, size * n);
    if (!buf_over(&t->head))
        return size * n;
    err_set(&t->err, ERR_REMOTE, "%s: the reply's headers are longer than %d bytes", t->host,
            HEAD_MAX);
    return 0;
}

static size_t give_body(char *ret, size_t size, size_t n, void *arg)
{
    struct http_transfer *t = arg;
    int64_t got = http_body_read(&t->upload, ret, size * n, &t->err);

    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

static int seek_body(void *arg, curl_off_t offset, int origin)
{
    struct http_transfer *t = arg;

    if (origin != SEEK_SET || http_body_seek(&t->upload, (uint64_t)offset) < 0)
        return CURL_SEEKFUNC_FAIL;
    return CURL_SEEKFUNC_OK;
}

/* libcurl's own sockets stay open in child processes. */
static curl_socket_t make_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct http_transfer *t = arg;
    int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);

    (void)purpose;
    if (fd < 0)
        t->own_errno = errno;
    else
        http_sockets_opened(t->tools.sockets, fd);
    return fd < 0 ? CURL_SOCKET_BAD : fd;
}

static void add_header(struct http_transfer *t, const char *line)
{
    struct curl_slist *longer = curl_slist_append(t->headers, line);

    if (!longer)
        abort();
    t->headers = longer;
}

static int set_headers(struct http_transfer *t)
{
    const struct http_request *r = t->request;

    for (size_t i = 0; i < r->n_headers; i++) {
        const char *name = r->headers[i].name, *value = r->headers[i].value;

        if (!http_header_fits(name, value))
            return err_set(&t->err, ERR_NET,
                           "%s: header %zu has a character that headers cannot hold", t->host,
                           i + 1);

        /* libcurl takes "name:" for "do not send it" */
        char *line = *value ? mem_printf("%s: %s", name, value) : mem_printf("%s;", name);

        add_header(t, line);
        explicit_bzero(line, strlen(line));
        free(line);
    }
    add_header(
        t,
        "Expect:"); /* waiting for "100 Continue" costs a second with servers that never say it */
    if (r->n_parts > 0 && !http_request_find(r, "Content-Type"))
        add_header(t, "Content-Type:");
    curl_easy_setopt(t->easy, CURLOPT_HTTPHEADER, t->headers);
    return 0;
}

static void set_method(struct http_transfer *t)
{
    const char *method = t->request->method ? t->request->method : "GET";
    curl_off_t length = (curl_off_t)http_request_length(t->request);
    bool post = strcmp(method, "POST") == 0, put = strcmp(method, "PUT") == 0;

    if (strcmp(method, "HEAD") == 0) {
        curl_easy_setopt(t->easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (put) {
        curl_easy_setopt(t->easy, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(t->easy, CURLOPT_INFILESIZE_LARGE, length);
    } else if (post || length > 0 || strcmp(method, "PATCH") == 0) {
        curl_easy_setopt(t->easy, CURLOPT_POST, 1L);
        curl_easy_setopt(t->easy, CURLOPT_POSTFIELDSIZE_LARGE, length);
    }
    /* POST and PUT by their own options: only then a 303 is followed with GET. */
    if (!post && !put && (length > 0 || strcmp(method, "GET") != 0))
        curl_easy_setopt(t->easy, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(t->easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(t->easy, CURLOPT_READDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_SEEKFUNCTION, seek_body);
    curl_easy_setopt(t->easy, CURLOPT_SEEKDATA, t);
}

static void set_reception(struct http_transfer *t)
{
    curl_easy_setopt(t->easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(t->easy, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_HEADERFUNCTION, take_head);
    curl_easy_setopt(t->easy, CURLOPT_HEADERDATA, t);
    curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->why);
    /* Who sets Accept-Encoding wants the bytes as they are stored. */
    if (!http_request_find(t->request, "Accept-Encoding"))
        curl_easy_setopt(t->easy, CURLOPT_ACCEPT_ENCODING, "gzip");
}

/* libcurl repeats a request by itself, a POST too, when a kept connection turns out to be closed.
 * The peer may have had the first one, and only the caller knows what may happen twice. */
/* NOLINTNEXTLINE(readability-non-const-parameter): libcurl's prototype */
static int about_to_send(void *arg, char *peer, char *own, int peer_port, int own_port)
{
    struct http_transfer *t = arg;
    long redirects = 0;

    (void)peer, (void)own, (void)peer_port, (void)own_port;
    curl_easy_getinfo(t->easy, CURLINFO_REDIRECT_COUNT, &redirects);
    if (t->sendings++ <= redirects)
        return CURL_PREREQFUNC_OK;
    (void)err_set(&t->err, ERR_NET, "%s: closed the connection without an answer", t->host);
    t->err.retry = true;
    t->sent = true;
    return CURL_PREREQFUNC_ABORT;
}

static void set_connection(struct http_transfer *t)
{
    const struct http_client_options *o = t->tools.options;
    const struct http_request *r = t->request;
    CURL *easy = t->easy;

    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, r->follow_redirects ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX);
    curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* also switches http_proxy in the environment off */
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L); /* signatures cover the path as written */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, o->user_agent);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* Or to drop a request would wait for the thread that looks its name up, and the loop with it.
     */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, make_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, t);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, http_sockets_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, t->tools.sockets);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)t->timeout_ms);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(r->connect_ms ? r->connect_ms : o->connect_ms));
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, about_to_send);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, t);
    curl_easy_setopt(easy, CURLOPT_CAINFO, NULL); /* or it would read them for each connection */
    curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, t->tools.trust);
    curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, t);
    if (r->fresh_connection) {
        curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
        curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    } else {
        curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    }
}

/* Keeps the host for errors. The rest of a url may hold tokens. */
static int set_url(struct http_transfer *t, const char *base)
{
    const char *url = t->request->url ? t->request->url : "";
    char *whole = mem_printf("%s%s", url[0] == '/' && base ? base : "", url), *host = NULL;
    CURLU *parsed = curl_url();
    int rc = 0;

    text_copy(t->host, sizeof t->host, "request");
    if (!parsed)
        abort();
    if (curl_url_set(parsed, CURLUPART_URL, whole, 0) != CURLUE_OK ||
        curl_url_get(parsed, CURLUPART_HOST, &host, 0) != CURLUE_OK)
        rc = err_set(&t->err, ERR_NET, "the address to send a request to is not a valid url");
    else if (strncasecmp(whole, "http://", 7) != 0 && strncasecmp(whole, "https://", 8) != 0)
        rc = err_set(&t->err, ERR_NET, "%s: only http:// and https:// addresses are used", host);
    else {
        text_copy(t->host, sizeof t->host, host);
        curl_easy_setopt(t->easy, CURLOPT_URL, whole);
    }
    curl_free(host);
    curl_url_cleanup(parsed);
    explicit_bzero(whole, strlen(whole));
    free(whole);
    return rc;
}

struct http_transfer *transfer_new(void)
{
    struct http_transfer *t = mem_alloc(sizeof *t);

    t->easy = curl_easy_init();
    if (!t->easy)
        abort();
    buf_init(&t->head, HEAD_MAX);
    t->upload.fd = -1;
    return t;
}

void transfer_begin(struct http_transfer *t, const struct transfer_tools *tools, const char *base,
                    const struct http_request *request)
{
    const struct http_client_options *o = tools->options;

    t->tools = *tools;
    t->request = request;
    t->timeout_ms = request->timeout_ms ? request->timeout_ms : o->timeout_ms;
    t->stall_ms = o->stall_ms;
    t->body.max = request->max_reply ? request->max_reply : o->max_reply;
    http_body_init(&t->upload, request);
    curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
    t->never_started =
        set_url(t, base) < 0 || set_headers(t) < 0 || http_body_check(request, &t->err) < 0;
    set_connection(t);
    set_reception(t);
    set_method(t);
}

/* What one reply had needed is not kept for ever. */
static void clear_or_release(struct buf *b)
{
    if (b->cap > KEPT_MAX)
        buf_release(b);
    else
        buf_clear(b);
}

void transfer_clear(struct http_transfer *t)
{
    CURL *easy = t->easy;
    struct buf body = t->body, head = t->head;

    for (const struct curl_slist *h = t->headers; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(t->headers);
    http_body_release(&t->upload);
    curl_easy_reset(easy);
    clear_or_release(&body);
    clear_or_release(&head);
    *t = (struct http_transfer){.easy = easy, .body = body, .head = head, .upload.fd = -1};
}

void transfer_free(struct http_transfer *t)
{
    transfer_clear(t);
    curl_easy_cleanup(t->easy);
    buf_release(&t->body);
    buf_release(&t->head);
    free(t);
}

static int64_t number(const struct http_transfer *t, CURLINFO what)
{
    curl_off_t value = 0;

    curl_easy_getinfo(t->easy, what, &value);
    return value;
}

static long small_number(const struct http_transfer *t, CURLINFO what)
{
    long value = 0;

    curl_easy_getinfo(t->easy, what, &value);
    return value;
}

bool transfer_stalled(struct http_transfer *t, int64_t now_us)
{
    int64_t bytes = number(t, CURLINFO_SIZE_UPLOAD_T) + number(t, CURLINFO_SIZE_DOWNLOAD_T) +
                    small_number(t, CURLINFO_HEADER_SIZE) + small_number(t, CURLINFO_REQUEST_SIZE);

    /* Until the connection stands, connect_ms watches. */
    if (bytes != t->bytes || t->changed_us == 0 || number(t, CURLINFO_PRETRANSFER_TIME_T) == 0) {
        t->bytes = bytes;
        t->changed_us = now_us;
        return false;
    }
    return now_us - t->changed_us > (int64_t)t->stall_ms * 1000;
}

/* How libcurl's ways to fail are seen by a caller: whether to try again, and what a person can do.
 */
struct failure {
    CURLcode code;
    enum err_kind kind;
    bool retry, detail; /* detail: libcurl's own words are shown, which name no url and no header */
    const char *hint;
};

static const struct failure failures[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_NET, true, false,
     "its name does not resolve; check it, and DNS"},
    {CURLE_COULDNT_CONNECT, ERR_NET, true, false, "cannot connect; is it up, and the network?"},
    {CURLE_SEND_ERROR, ERR_NET, true, false, "the connection broke while sending"},
    {CURLE_RECV_ERROR, ERR_NET, true, false, "the connection broke while receiving"},
    {CURLE_GOT_NOTHING, ERR_NET, true, false, "closed the connection without an answer"},
    {CURLE_PARTIAL_FILE, ERR_NET, true, false, "closed the connection in the middle of the answer"},
    {CURLE_HTTP2, ERR_NET, true, false, "broke the rules of HTTP/2"},
    {CURLE_HTTP2_STREAM, ERR_NET, true, false, "ended the HTTP/2 stream without a whole answer"},
    {CURLE_SSL_CONNECT_ERROR, ERR_NET, true, true, "TLS handshake failed"},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_NET, false, true, "its certificate is not trusted"},
    {CURLE_SSL_CACERT_BADFILE, ERR_NET, false, true,
     "the file of trusted certificates cannot be read"},
    {CURLE_URL_MALFORMAT, ERR_NET, false, false, "the address is not a valid url"},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_REMOTE, false, false, "does not speak HTTP"},
    {CURLE_WEIRD_SERVER_REPLY, ERR_REMOTE, false, false, "does not speak HTTP"},
    {CURLE_BAD_CONTENT_ENCODING, ERR_REMOTE, false, false, "the answer cannot be decompressed"},
    {CURLE_TOO_MANY_REDIRECTS, ERR_REMOTE, false, false, "redirects more than 5 times"},
    {CURLE_WRITE_ERROR, ERR_REMOTE, false, false, "the answer cannot be decompressed"},
};

/* A machine that has run out of something says nothing about the peer. */
static bool is_our_own(int code)
{
    return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM ||
           code == EADDRNOTAVAIL;
}

static void explain_our_own(struct http_transfer *t, int code)
{
    err_errno(&t->err, ERR_STORE, code, "%s: not asked, because this machine has no %s left; %s",
              t->host, code == EADDRNOTAVAIL ? "port" : "descriptor or memory",
              code == EADDRNOTAVAIL ? "ask it less often, or keep connections"
                                    : "raise the limit of open files (ulimit -n)");
    t->err.retry = true;
}

static void explain(struct http_transfer *t, CURLcode code)
{
    struct err *e = &t->err;
    int own = t->own_errno ? t->own_errno : (int)small_number(t, CURLINFO_OS_ERRNO);

    if (code == CURLE_COULDNT_CONNECT && is_our_own(own)) {
        explain_our_own(t, own);
        return;
    }

    if (code == CURLE_OPERATION_TIMEDOUT) {
        if (number(t, CURLINFO_PRETRANSFER_TIME_T) == 0)
            err_set(e, ERR_NET, "%s: no connection in time", t->host);
        else
            err_set(e, ERR_NET, "%s: no whole answer within %u ms", t->host, t->timeout_ms);
        e->retry = true;
        return;
    }
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        const struct failure *f = &failures[i];

        if (f->code != code)
            continue;
        err_set(e, f->kind, "%s: %s%s%s", t->host, f->hint, f->detail && t->why[0] ? ": " : "",
                f->detail ? t->why : "");
        e->retry = f->retry;
        return;
    }
    err_set(e, ERR_NET, "%s: %s", t->host, curl_easy_strerror(code));
}

/* "Name:  value \r" in place; false when it is no header: the status line and the empty one. */
static bool parse_line(char *line, struct http_header *ret)
{
    char *colon = strchr(line, ':');

    if (!colon || colon == line)
        return false;
    *colon = '\0';
    for (char *c = line; *c; c++)
        *c = (char)tolower((unsigned char)*c);

    char *value = colon + 1 + strspn(colon + 1, " \t");
    size_t len = strlen(value);

    while (len > 0 && strchr(" \t\r", value[len - 1]))
        len--;
    value[len] = '\0';
    *ret = (struct http_header){line, value};
    return true;
}

static void parse_head(struct http_transfer *t, struct arena *a, struct http_reply *ret)
{
    char *rest = arena_strdup(a, buf_str(&t->head)), *line;
    size_t lines = 1;

    for (const char *c = rest; *c; c++)
        lines += *c == '\n';

    struct http_header *headers = arena_array(a, lines, sizeof *headers);

    while ((line = strsep(&rest, "\n")))
        ret->n_headers += parse_line(line, &headers[ret->n_headers]);
    ret->headers = headers;
}

static int64_t or_never(int64_t us)
{
    return us > 0 ? us : -1;
}

void transfer_timing(const struct http_transfer *t, struct http_timing *ret)
{
    bool connected_anew = small_number(t, CURLINFO_NUM_CONNECTS) > 0 || t->err.kind != ERR_NONE;

    *ret = (struct http_timing){t->queued_us, -1, -1, -1, -1, -1};
    if (t->never_started)
        return;
    if (connected_anew) {
        ret->lookup = or_never(number(t, CURLINFO_NAMELOOKUP_TIME_T));
        ret->connect = or_never(number(t, CURLINFO_CONNECT_TIME_T));
        ret->tls = or_never(number(t, CURLINFO_APPCONNECT_TIME_T));
    }
    ret->first_byte = or_never(number(t, CURLINFO_STARTTRANSFER_TIME_T));
    ret->total = or_never(number(t, CURLINFO_TOTAL_TIME_T));
}

static void fill_peer(const struct http_transfer *t, char ret[64])
{
    const char *address = NULL;

    curl_easy_getinfo(t->easy, CURLINFO_PRIMARY_IP, &address);
    if (address && *address)
        snprintf(ret, 64, strchr(address, ':') ? "[%.45s]:%ld" : "%.45s:%ld", address,
                 small_number(t, CURLINFO_PRIMARY_PORT));
}

void transfer_reply(struct http_transfer *t, CURLcode code, struct arena *a, struct http_reply *ret)
{
    if (code != CURLE_OK && t->err.kind == ERR_NONE)
        explain(t, code);

    bool answered = t->err.kind == ERR_NONE;

    *ret = (struct http_reply){.err = t->err, .body = ""};
    ret->sent = t->sent || number(t, CURLINFO_PRETRANSFER_TIME_T) > 0 ||
                small_number(t, CURLINFO_REQUEST_SIZE) > 0;
    transfer_timing(t, &ret->timing);
    fill_peer(t, ret->peer);
    if (!answered)
        return;
    ret->status = (int)small_number(t, CURLINFO_RESPONSE_CODE);
    ret->body = buf_str(&t->body);
    ret->len = t->body.len;
    parse_head(t, a, ret);
}
