/*
 * embed_assets SYMBOL [FOLDER] : writes to stdout the C source of
 *
 *     const struct embedded_asset SYMBOL[];  (base/embed.h)
 *     const size_t SYMBOL_count;
 *
 * with every file of the folder, in the order of their paths; without a folder the table is empty.
 * Runs at build time only; needs zlib.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum { FILES_MAX = 1000, PATH_BYTES = 1024, FILE_BYTES_MAX = 16 << 20 };

struct asset {
    char path[PATH_BYTES]; /* within the folder */
    unsigned char *data, *gzip;
    size_t len, gzip_len;
    char digest[40];
};
static struct asset assets[FILES_MAX];
static size_t n_assets;

static void stop(const char *path, const char *why)
{
    fprintf(stderr, "embed_assets: %s: %s\n", path, why);
    exit(1);
}

static const char *type_of(const char *path)
{
    static const char *const types[][2] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".svg", "image/svg+xml"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
    };
    const char *dot = strrchr(path, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++)
        if (strcmp(dot, types[i][0]) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static void compress_asset(struct asset *a)
{
    z_stream z = {0};

    /* 16: with the header of gzip, which holds no time, so that the same file gives the same. */
    if (deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        stop(a->path, "zlib cannot begin");
    size_t room = deflateBound(&z, a->len);
    a->gzip = malloc(room);
    if (!a->gzip)
        stop(a->path, "out of memory");
    z.next_in = a->data;
    z.avail_in = (uInt)a->len;
    z.next_out = a->gzip;
    z.avail_out = (uInt)room;
    if (deflate(&z, Z_FINISH) != Z_STREAM_END)
        stop(a->path, "zlib cannot end");
    a->gzip_len = z.total_out;
    deflateEnd(&z);
    if (a->gzip_len >= a->len)
        a->gzip_len = 0;
}

static void add_file(const char *file, const char *path, size_t size)
{
    struct asset *a = &assets[n_assets++];
    FILE *in = fopen(file, "rb");

    if (n_assets == FILES_MAX || size > FILE_BYTES_MAX)
        stop(file, "too many files, or too large");
    if (!in)
        stop(file, "cannot be opened");
    snprintf(a->path, sizeof(a->path), "%s", path);
    a->data = malloc(size + 1);
    a->len = size;
    if (!a->data || fread(a->data, 1, size, in) != size)
        stop(file, "cannot be read");
    fclose(in);
    compress_asset(a);
    snprintf(a->digest, sizeof(a->digest), "%08lx%08lx%zx", crc32(0, a->data, (uInt)size),
             adler32(1, a->data, (uInt)size), size);
}

static void add_folder(const char *folder, const char *within)
{
    DIR *dir = opendir(folder);

    if (!dir)
        stop(folder, "cannot be opened");
    for (struct dirent *entry; (entry = readdir(dir));) {
        char file[PATH_BYTES], path[PATH_BYTES];
        struct stat st;
        if (entry->d_name[0] == '.')
            continue;
        if (snprintf(file, sizeof(file), "%s/%s", folder, entry->d_name) >= PATH_BYTES)
            stop(folder, "a path is too long");
        if (stat(file, &st) != 0)
            stop(file, "cannot be read");
        int n = snprintf(path, sizeof(path), "%s%s%s", within, entry->d_name,
                         S_ISDIR(st.st_mode) ? "/" : "");
        if (n >= PATH_BYTES)
            stop(folder, "a path is too long");
        if (S_ISDIR(st.st_mode))
            add_folder(file, path);
        else
            add_file(file, path, (size_t)st.st_size);
    }
    closedir(dir);
}

static int by_path(const void *a, const void *b)
{
    const struct asset *x = a, *y = b;

    return strcmp(x->path, y->path);
}

/* Bytes as numbers: a string literal of this length is more than ISO C promises to take. */
static void write_bytes(const char *name, size_t index, const unsigned char *data, size_t len)
{
    printf("static const unsigned char %s_%zu[] = {", name, index);
    for (size_t i = 0; i < len; i++)
        printf("%s%d,", i % 20 == 0 ? "\n    " : "", data[i]);
    printf("\n    0};\n");
}

static void write_row(size_t i)
{
    const struct asset *a = &assets[i];

    printf("    {\"%s\", \"%s\", file_%zu, %zu, ", a->path, type_of(a->path), i, a->len);
    if (a->gzip_len)
        printf("gzip_%zu, %zu, ", i, a->gzip_len);
    else
        printf("0, 0, ");
    printf("\"%s\"},\n", a->digest);
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 3)
        stop("usage", "embed_assets SYMBOL [FOLDER]");
    if (argc == 3)
        add_folder(argv[2], "");
    qsort(assets, n_assets, sizeof(assets[0]), by_path);

    printf("/* Made by tools/embed_assets: change the files it read instead. */\n");
    printf("#include \"base/embed.h\"\n\n");
    for (size_t i = 0; i < n_assets; i++) {
        write_bytes("file", i, assets[i].data, assets[i].len);
        if (assets[i].gzip_len)
            write_bytes("gzip", i, assets[i].gzip, assets[i].gzip_len);
    }
    printf("\nextern const struct embedded_asset %s[];\nextern const size_t %s_count;\n", argv[1],
           argv[1]);
    printf("const struct embedded_asset %s[] = {\n", argv[1]);
    for (size_t i = 0; i < n_assets; i++)
        write_row(i);
    printf("    {0}}; /* a table may not be empty */\nconst size_t %s_count = %zu;\n", argv[1],
           n_assets);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
