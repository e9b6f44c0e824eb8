#include "core.h"
#include "sites.h"
#include "watch.h"

#include "base/json.h"

#include <stdio.h>

/* The books: what came and what is there, per platform. Counters live in the state under "books".
 */

static json_t *books_of(struct sim *s, const struct sim_platform *p)
{
    return sim_member(sim_member(s->state, "books"), p->name);
}

static void count(json_t *in, const char *name, json_int_t by)
{
    json_t *counter = json_object_get(in, name);

    if (counter)
        json_integer_set(counter, json_integer_value(counter) + by);
    else
        json_object_set_new(in, name, json_integer(by));
}

void books_request(struct sim *s, const struct sim_platform *p, const char *method, int status)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", status);
    count(sim_member(sim_member(books_of(s, p), "requests"), method), text, 1);
    sim_changed(s);
}

void sim_count_upload(struct sim *s, const struct sim_platform *p, size_t bytes, bool again)
{
    json_t *books = books_of(s, p);

    count(books, "uploads", 1);
    count(books, "bytes", (json_int_t)bytes);
    if (again)
        count(books, "uploads_again", 1);
    sim_changed(s);
}

static json_t *books_platform(struct sim *s, const struct sim_platform *p)
{
    json_t *all = json_pack("{s:i, s:i, s:i}", "uploads", 0, "uploads_again", 0, "bytes", 0);
    json_t *requests = json_deep_copy(sim_member(books_of(s, p), "requests"));

    json_object_update_existing(all, books_of(s, p));
    json_object_set_new(all, "requests", requests);
    json_object_set_new(all, "rates", rates_books(s->rates, p));
    if (p->books)
        p->books(s, p, all);
    return all;
}

json_t *books_all(struct sim *s)
{
    json_t *all = json_object(), *platforms = json_object();

    for (size_t i = 0; sim_platforms[i]; i++)
        json_object_set_new(platforms, sim_platforms[i]->name, books_platform(s, sim_platforms[i]));
    json_object_set_new(all, "platforms", platforms);
    json_object_set_new(all, "site_requests",
                        json_deep_copy(sim_member(books_of(s, &sim_sites), "requests")));
    json_object_set_new(all, "sites", sites_books(s));
    return all;
}
