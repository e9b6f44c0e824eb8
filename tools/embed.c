/*
 * embed SYMBOL FILE... : writes to stdout the C source of
 *
 *     const struct embedded_file SYMBOL[];  (base/embed.h)
 *     const size_t SYMBOL_count;
 *
 * so that a file travels in the binary. Runs at build time only; needs nothing but a C compiler.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void stop(const char *path, const char *why)
{
    fprintf(stderr, "embed: %s: %s\n", path, why);
    exit(1);
}

/* Bytes as numbers: a string literal of this length is more than ISO C promises to take. */
static long write_bytes(const char *path, int index)
{
    FILE *in = fopen(path, "rb");
    if (!in)
        stop(path, "cannot be opened");
    printf("static const unsigned char file_%d[] = {", index);
    long n = 0;
    for (int c = getc(in); c != EOF; c = getc(in), n++)
        printf("%s%d,", n % 20 == 0 ? "\n    " : "", c);
    if (ferror(in))
        stop(path, "cannot be read");
    fclose(in);
    printf("\n    0};\n");
    return n;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        stop("usage", "embed SYMBOL FILE...");
    int n_files = argc - 2;
    long *sizes = calloc((size_t)n_files, sizeof(*sizes));
    if (!sizes)
        stop(argv[1], "out of memory");

    printf("/* Made by tools/embed: change the files it names instead. */\n");
    printf("#include \"base/embed.h\"\n\n");
    for (int i = 0; i < n_files; i++)
        sizes[i] = write_bytes(argv[i + 2], i);

    /* Declared before it is defined: -Wmissing-declarations holds for made code too. */
    printf("\nextern const struct embedded_file %s[];\nextern const size_t %s_count;\n", argv[1],
           argv[1]);
    printf("const struct embedded_file %s[] = {\n", argv[1]);
    for (int i = 0; i < n_files; i++) {
        const char *slash = strrchr(argv[i + 2], '/');
        printf("    {\"%s\", file_%d, %ld},\n", slash ? slash + 1 : argv[i + 2], i, sizes[i]);
    }
    printf("};\nconst size_t %s_count = %d;\n", argv[1], n_files);
    free(sizes);
    return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
