#include "core.h"
#include "sites.h"

#include "base/json.h"

#include <string.h>

/*
 * The small backend that every deployed service shows: enough of a shop's API to be probed,
 * compared and called from a browser.
 */
enum { PRODUCTS = 1000, PRODUCTS_SHOWN = 20 };

static void health_get(struct sim_request *r, const struct site *site)
{
    sim_answer(r, 200,
               json_pack("{s:s, s:s, s:s}", "status", "ok", "commit",
                         json_str(site->record, "commit", ""), "environment",
                         json_str(site->record, "environment", "production")));
}

static void products_get(struct sim_request *r)
{
    static const char *const kinds[] = {"Flower", "Edible", "Vape", "Topical", "Seed"};
    int64_t limit = sim_query_int(r, "limit", PRODUCTS_SHOWN);
    json_t *list = json_array();

    if (limit < 0 || limit > PRODUCTS)
        limit = limit < 0 ? 0 : PRODUCTS;
    for (int64_t i = 1; i <= limit; i++)
        json_array_append_new(list, json_pack("{s:I, s:s, s:I, s:s, s:b}", "id", (json_int_t)i,
                                              "name", kinds[i % 5], "price_cents",
                                              (json_int_t)(995 + (i * 37) % 9000), "currency",
                                              "CAD", "in_stock", i % 7 != 0));
    sim_answer(r, 200,
               json_pack("{s:o, s:i, s:I}", "products", list, "total", PRODUCTS, "limit",
                         (json_int_t)limit));
}

static void stores_get(struct sim_request *r)
{
    sim_answer(r, 200,
               json_pack("{s:[{s:i, s:s, s:s}, {s:i, s:s, s:s}, {s:i, s:s, s:s}]}", "stores", "id",
                         1, "name", "Harbour", "city", "Toronto", "id", 2, "name", "Mile End",
                         "city", "Montreal", "id", 3, "name", "Gastown", "city", "Vancouver"));
}

/* Every origin is allowed by its own name, but for those that a rule of --faults forbids. */
static void allow_origin(struct sim_request *r)
{
    const struct fault_choice *fault = &((const struct call *)r)->fault;
    const char *origin = sim_header(r, "Origin");

    sim_set_header(r, "Vary", "Origin");
    if (fault->kind == FAULT_FORBID_ORIGIN && origin && text_glob(fault->word, origin))
        return;
    sim_set_header(r, "Access-Control-Allow-Origin", "%s", origin ? origin : "*");
}

static void preflight(struct sim_request *r)
{
    const char *asked = sim_header(r, "Access-Control-Request-Headers");

    sim_set_header(r, "Access-Control-Allow-Methods",
                   "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    sim_set_header(r, "Access-Control-Allow-Headers", "%s", asked ? asked : "*");
    sim_set_header(r, "Access-Control-Max-Age", "600");
    sim_answer(r, 204, NULL);
}

void service_serve(struct sim_request *r, const struct site *site)
{
    bool reads = strcmp(r->method, "GET") == 0 || strcmp(r->method, "HEAD") == 0;

    allow_origin(r);
    if (strcmp(r->method, "OPTIONS") == 0)
        preflight(r);
    else if (reads && strcmp(r->path, "/health") == 0)
        health_get(r, site);
    else if (reads && strcmp(r->path, "/api/v1/products") == 0)
        products_get(r);
    else if (reads && strcmp(r->path, "/api/v1/stores") == 0)
        stores_get(r);
    else if (strcmp(r->path, "/ws") == 0)
        socket_serve(r, site);
    else
        sim_answer(r, 404, json_pack("{s:s, s:s}", "error", "not found", "path", r->path));
}
