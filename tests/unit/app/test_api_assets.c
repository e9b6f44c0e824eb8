#include "app/api_assets.h"
#include "test.h"

static const unsigned char bytes[] = "x";
static const struct embedded_asset files[] = {
    {"app.js", "text/javascript", bytes, 1, NULL, 0, "1"},
    {"index.html", "text/html", bytes, 1, NULL, 0, "2"},
};

static const char *found(const char *path)
{
    const struct embedded_asset *a = asset_find(files, 2, path);

    return a ? a->path : "";
}

static void a_path_finds_its_file(void)
{
    CHECK(strcmp(found("/"), "index.html") == 0);
    CHECK(strcmp(found("/app.js"), "app.js") == 0);
    CHECK(strcmp(found("/app"), "") == 0);
    CHECK(strcmp(found("app.js"), "") == 0);
    CHECK(strcmp(found("/../etc/passwd"), "") == 0);
    CHECK(!asset_find(files, 0, "/"));
}

static void gzip_goes_only_to_who_takes_it(void)
{
    CHECK(asset_takes_gzip("gzip"));
    CHECK(asset_takes_gzip("br, GZIP;q=0.5"));
    CHECK(asset_takes_gzip("deflate,*"));
    CHECK(!asset_takes_gzip("gzip;q=0"));
    CHECK(!asset_takes_gzip("br, gzip; q=0.0"));
    CHECK(!asset_takes_gzip("xgzip, gzipx"));
    CHECK(!asset_takes_gzip(""));
    CHECK(!asset_takes_gzip(NULL));
}

static void an_entity_tag_is_found_in_its_list(void)
{
    CHECK(asset_is_known("\"a\"", "\"a\""));
    CHECK(asset_is_known("\"b\", W/\"a\"", "\"a\""));
    CHECK(asset_is_known("*", "\"a\""));
    CHECK(!asset_is_known("\"ab\"", "\"a\""));
    CHECK(!asset_is_known("a", "\"a\""));
    CHECK(!asset_is_known(NULL, "\"a\""));
}

int main(void)
{
    a_path_finds_its_file();
    gzip_goes_only_to_who_takes_it();
    an_entity_tag_is_found_in_its_list();
    return DONE();
}
