#include "faults.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Delays of deployed sites, log-normal: the median is exp(mu), and the 95th percentile fixes sigma
 * (z(0.95) = 1.6449). Long tails come by themselves, as they do on real networks.
 */
static const double z95 = 1.6448536269514722;

struct profile {
    const char *host; /* glob; borrowed from `json` */
    double mu, sigma, error_rate;
    int64_t cold_ms;
};

struct latency {
    json_t *json;
    struct profile *list;
    size_t n;
    uint64_t random;
};

struct latency *latency_new(void)
{
    return mem_alloc(sizeof(struct latency));
}

void latency_free(struct latency *l)
{
    if (!l)
        return;
    json_decref(l->json);
    free(l->list);
    free(l);
}

static int profile_read(const json_t *from, size_t index, struct profile *ret, struct err *e)
{
    double median = json_num(from, "median_ms", 0), p95 = json_num(from, "p95_ms", median);

    *ret = (struct profile){.host = json_str(from, "host", NULL),
                            .error_rate = json_num(from, "error_rate", 0),
                            .cold_ms = json_int(from, "cold_ms", -1)};
    if (!ret->host)
        return err_set(e, ERR_USAGE, "latency: hosts[%zu]: \"host\" is missing", index);
    if (median < 0 || p95 < median || median > 600000 || p95 > 600000)
        return err_set(e, ERR_USAGE, "latency: hosts[%zu]: need 0 <= median_ms <= p95_ms <= 600000",
                       index);
    if (ret->error_rate < 0 || ret->error_rate > 1)
        return err_set(e, ERR_USAGE, "latency: hosts[%zu]: error_rate must be within 0 and 1",
                       index);
    ret->mu = median > 0 ? log(median) : -1000;
    ret->sigma = median > 0 ? log(p95 / median) / z95 : 0;
    return 0;
}

int latency_set(struct latency *l, const json_t *profile, struct err *e)
{
    json_t *copy = json_deep_copy(profile);
    const json_t *hosts = json_object_get(copy, "hosts");
    size_t n = json_array_size(hosts);
    struct profile *list = mem_array(n ? n : 1, sizeof(*list));

    for (size_t i = 0; i < n; i++)
        if (profile_read(json_array_get(hosts, i), i, &list[i], e) != 0) {
            json_decref(copy);
            free(list);
            return -1;
        }
    json_decref(l->json);
    free(l->list);
    *l = (struct latency){
        .json = copy, .list = list, .n = n, .random = (uint64_t)json_int(copy, "seed", 1)};
    return 0;
}

/* xorshift64*: a stream of its own, apart from the faults'. Uniform within (0, 1). */
static double uniform(struct latency *l)
{
    if (l->random == 0)
        l->random = 1;
    l->random ^= l->random >> 12;
    l->random ^= l->random << 25;
    l->random ^= l->random >> 27;
    return ((double)((l->random * 0x2545f4914f6cdd1du) >> 11) + 0.5) / 9007199254740992.0;
}

/* Box and Muller's method; the second value of the pair is not used. */
static double normal(struct latency *l)
{
    double u = uniform(l), v = uniform(l);

    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

void latency_draw(struct latency *l, const char *host, struct latency_draw *ret)
{
    *ret = (struct latency_draw){.cold_ms = -1};
    for (size_t i = 0; i < l->n; i++) {
        const struct profile *p = &l->list[i];
        double ms;

        if (!text_glob(p->host, host))
            continue;
        ms = exp(p->mu + p->sigma * normal(l));
        ret->delay_ms = (int64_t)llround(ms < 600000 ? ms : 600000);
        ret->cold_ms = p->cold_ms;
        ret->error = uniform(l) < p->error_rate;
        return;
    }
}
