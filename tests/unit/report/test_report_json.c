#include "report/report.h"

#include "base/buf.h"
#include "base/json.h"
#include "sample.h"
#include "schema.h"
#include "test.h"

static json_t *schema;

static bool fits(const json_t *report)
{
    return schema_fits(schema, schema, report, "the top");
}

static json_t *written(int n, const char *last)
{
    struct err e = ERR_INIT;
    struct buf out = BUF_INIT(REPORT_MAX_BYTES);
    struct comparison *c = sample_comparison(n, last);
    report_json(c, &out);
    json_t *root = json_read(out.data, out.len, "report", &e);
    CHECK(root != NULL);
    buf_release(&out);
    comparison_free(c);
    return root;
}

static void what_is_written_fits_the_published_schema(void)
{
    json_t *root = written(300, "preprod");
    CHECK(fits(root));
    CHECK(json_array_size(json_at(root, "environments")) == 3);
    CHECK(json_array_size(json_at(root, "winners")) == 4);
    CHECK(json_array_size(json_at(root, "pairs")) == 3);
    CHECK(json_array_size(json_at(root, "pairs.0.metrics")) == 6);
    CHECK(json_num(root, "environments.0.figures.p95_ms.low", 0) > 0);
    CHECK(json_int(root, "environments.0.figures.success_rate.n", 0) == 600);
    CHECK(json_flag(root, "environments.0.figures.p95_ms.met", false));
    CHECK(json_int(root, "environments.1.figures.cold_start_ms.n", 0) == 10);
    CHECK(json_num(root, "environments.1.figures.cold_start_ms.target", 0) == 15000);
    CHECK(json_int(root, "cold_starts.0.n", 0) == 5);
    CHECK(strcmp(json_str(root, "window.from", ""), "2025-11-21T15:00:00Z") == 0);
    CHECK(strcmp(json_str(root, "winners.0.winner", ""), "uat") == 0);
    CHECK(strcmp(json_str(root, "pairs.0.metrics.0.verdict", ""), "better") == 0);
    CHECK(json_array_size(json_at(root, "distribution.0.points")) == 104);
    CHECK(json_int(root, "heat.hours", 0) == 1);
    CHECK(json_array_size(json_at(root, "heat.environments.0.cells")) == 24);
    CHECK(strcmp(json_str(root, "recommendation.leader", ""), "uat") == 0);
    CHECK(strcmp(json_str(root, "recommendation.state", ""), "inconclusive") == 0);
    json_decref(root);
}

static void unknown_figures_are_null_and_fit_too(void)
{
    json_t *none = written(0, "preprod"), *few = written(3, "preprod");
    CHECK(fits(none));
    CHECK(fits(few));
    CHECK(json_is_null(json_at(none, "environments.0.figures.avg_ms")));
    CHECK(strcmp(json_str(none, "recommendation.state", ""), "none") == 0);
    CHECK(json_is_null(json_at(none, "window.first_sample")));
    CHECK(json_is_null(json_at(few, "environments.0.figures.p95_ms.high")));
    CHECK(json_is_null(json_at(few, "environments.0.figures.p95_ms.met")));
    CHECK(json_is_null(json_at(few, "winners.1.winner")));
    CHECK(strcmp(json_str(few, "pairs.0.metrics.2.verdict", ""), "inconclusive") == 0);
    CHECK(json_int(few, "pairs.0.metrics.2.n_needed", 0) >= 53); /* 59 less the six */
    json_decref(none);
    json_decref(few);
}

static void the_schema_check_itself_finds_faults(void)
{
    json_t *root = written(10, "preprod");
    json_object_set_new(root, "extra", json_true());
    CHECK(!fits(root));
    json_object_del(root, "extra");
    json_object_set_new(root, "version", json_integer(3));
    CHECK(!fits(root));
    json_object_set_new(root, "version", json_integer(2));
    json_object_set_new(root, "generated_at", json_string("yesterday"));
    CHECK(!fits(root));
    json_object_del(root, "generated_at");
    CHECK(!fits(root));
    json_decref(root);
}

int main(int argc, char **argv)
{
    json_error_t error;
    schema = argc == 2 ? json_load_file(argv[1], 0, &error) : NULL;
    CHECK(schema != NULL);
    what_is_written_fits_the_published_schema();
    unknown_figures_are_null_and_fit_too();
    the_schema_check_itself_finds_faults();
    json_decref(schema);
    return DONE();
}
