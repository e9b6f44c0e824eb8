#include "probe/check_http.h"

#include "net/http_client.h"

static void answered(uint64_t id, const struct http_reply *reply, void *arg)
{
    struct check_http *c = arg;
    (void)id;
    http_request_release(&c->request);
    c->running = false;
    c->fn(c, reply, c->arg);
}

void check_http_start(struct check_http *c, struct http_client *client, const struct target *t,
                      enum sample_class class_, int64_t intended_us)
{
    int64_t timeout_ms = t->timeout_ms;
    if (class_ == SAMPLE_COLD && t->cold_timeout_ms > timeout_ms)
        timeout_ms = t->cold_timeout_ms;
    c->request = (struct http_request){
        .method = "GET",
        .timeout_ms = (unsigned)timeout_ms,
        .connect_ms = (unsigned)timeout_ms,
        .fresh_connection = true,
    };
    http_request_url(&c->request, "%s", t->url);
    for (size_t i = 0; i < t->n_headers; i++)
        http_request_header(&c->request, t->headers[i].name, "%s", t->headers[i].value);
    c->running = true;
    c->id = http_send(client, NULL, &c->request, intended_us, answered, c);
}

void check_http_cancel(struct check_http *c, struct http_client *client)
{
    if (!c->running)
        return;
    http_cancel(client, c->id);
    http_request_release(&c->request);
    c->running = false;
}
